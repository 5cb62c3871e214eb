//! `cargo ktstr kernel clean`

use ktstr_kernel::{Cache, CleanChoice, Error, Slot, to_remove};

use crate::confirm;

/// Remove kernels from the cache, and what interrupted fetches left there; with all kernels, also what builds keep to be
/// quicker the next time
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo ktstr kernel clean --keep 2\n  cargo ktstr kernel clean --corrupt-only --force"
)]
pub struct Args {
    /// Keep the N newest kernels
    #[arg(long, value_name = "N", default_value_t = 0)]
    keep: usize,
    /// Remove without asking
    #[arg(long)]
    force: bool,
    /// Remove only corrupt entries
    #[arg(long, conflicts_with = "keep")]
    corrupt_only: bool,
}

pub fn run(args: &Args, cache: &Cache) -> anyhow::Result<()> {
    let slots = to_remove(cache.list()?, CleanChoice { keep: args.keep, corrupt_only: args.corrupt_only });
    // With no kernel to keep, what would make the next build of one quicker goes too.
    let is_all = args.keep == 0 && !args.corrupt_only;
    if slots.is_empty() {
        cache.sweep()?;
        if is_all && args.force {
            cache.remove_builds()?;
        }
        println!("nothing to remove in {}", cache.root().display());
        return Ok(());
    }
    if !args.force && !confirm::removal(slots.iter().map(Slot::key))? {
        println!("nothing removed");
        return Ok(());
    }
    for slot in &slots {
        let bytes = slot.bytes();
        match cache.remove(slot) {
            Ok(()) => println!("removed {} ({:.1} MB)", slot.key(), bytes as f64 / 1e6),
            Err(Error::InUse { key }) => println!("kept {key}: it is in use by another process"),
            Err(error) => return Err(error.into()),
        }
    }
    if is_all {
        cache.remove_builds()?;
    }
    Ok(cache.sweep()?)
}
