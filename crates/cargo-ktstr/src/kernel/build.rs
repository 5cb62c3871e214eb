//! `cargo ktstr kernel build`

use std::path::PathBuf;

use ktstr_kernel::{BuildRequest, BuildSource, Cache, Environment, KernelSpec, build};

use super::BuildBar;

/// Build a small kernel for tests from source, into the cache
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo ktstr kernel build\n  cargo ktstr kernel build 6.18.15\n  \
                  cargo ktstr kernel build --source ../linux\n  \
                  cargo ktstr kernel build --git https://git.kernel.org/pub/scm/linux/kernel/git/tj/sched_ext.git --ref for-next")]
pub struct Args {
    /// A version (6.18.15, 7.1-rc3) or a series (6.18) from kernel.org [default: the newest stable series that is not brand new]
    #[arg(conflicts_with_all = ["source", "git"])]
    version: Option<KernelSpec>,
    /// Build this source tree; nothing is written into it
    #[arg(long, value_name = "DIR", conflicts_with = "git")]
    source: Option<PathBuf>,
    /// Build from this git repository, without its history
    #[arg(long, value_name = "URL", requires = "reference")]
    git: Option<String>,
    /// The branch, tag or commit of --git
    #[arg(long = "ref", value_name = "REF", requires = "git")]
    reference: Option<String>,
    /// Build although the cache has this kernel
    #[arg(long)]
    force: bool,
    /// Compile everything again, not only what changed
    #[arg(long)]
    clean: bool,
    /// Compile N files at a time [default: one for each CPU that this process may use]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Put this configuration fragment over ktstr's own
    #[arg(long, value_name = "FILE")]
    extra_config: Option<PathBuf>,
}

impl Args {
    fn request(self) -> BuildRequest {
        let source = match (self.source, self.git, self.reference) {
            (Some(tree), ..) => BuildSource::Tree(tree),
            (None, Some(url), Some(reference)) => BuildSource::Git { url, reference },
            _ => BuildSource::Release(self.version),
        };
        BuildRequest {
            source,
            force: self.force,
            clean: self.clean,
            jobs: self.jobs.map(usize::from),
            extra_config: self.extra_config,
        }
    }
}

pub fn run(args: Args, env: &Environment, cache: &Cache) -> anyhow::Result<()> {
    let progress = BuildBar::new();
    let built = build(&args.request(), env, cache, &progress)?;
    drop(progress);
    let how = if built.was_cached { "is cached already" } else { "built" };
    println!("{} {how}: {}", built.entry.key(), built.entry.image().display());
    Ok(())
}
