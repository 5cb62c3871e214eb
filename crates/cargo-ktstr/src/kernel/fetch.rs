//! `cargo ktstr kernel fetch`

use ktstr_kernel::{Cache, Environment, FetchRequest, KernelSpec, fetch};

use crate::progress::Terminal;

/// Fetch a ready-made kernel (Debian's cloud image) into the cache
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo ktstr kernel fetch\n  cargo ktstr kernel fetch 6.18\n  \
                  cargo ktstr kernel fetch --refresh 7.3")]
pub struct Args {
    /// A series (6.18), a version (6.18.15), a range (6.16..7.0) or a release; without it, the newest kernel
    series: Option<KernelSpec>,
    /// Look for a newer kernel of the series although one is cached
    #[arg(long)]
    refresh: bool,
    /// Where there is no apt, take the mirror in KTSTR_DEBIAN_MIRROR unverified if nothing can verify it
    #[arg(long)]
    insecure: bool,
}

pub fn run(args: Args, env: &Environment, cache: &Cache) -> anyhow::Result<()> {
    let request = FetchRequest { wanted: args.series, refresh: args.refresh, insecure: args.insecure };
    let progress = Terminal::new();
    let fetched = fetch(&request, env, cache, &progress)?;
    drop(progress);
    let how = if fetched.was_cached { "is cached already" } else { "fetched" };
    println!("{} {how}: {}", fetched.entry.key(), fetched.entry.image().display());
    if !fetched.entry.metadata().sched_ext {
        eprintln!(
            "note: this kernel has no sched_ext (CONFIG_SCHED_CLASS_EXT is off), so BPF schedulers cannot run on it"
        );
    }
    Ok(())
}
