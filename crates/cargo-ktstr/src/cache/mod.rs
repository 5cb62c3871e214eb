//! `cargo ktstr cache`: what the cache holds besides kernels.

mod clean;
mod item;
mod list;

use clap::Subcommand;
use ktstr_kernel::{Cache, Environment};

/// List and remove what makes later runs quick: templates, loaded templates, builds, downloads
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo ktstr cache\n  cargo ktstr cache clean --keep-bytes 4G\n\n\
                  Kernels are listed and removed with `cargo ktstr kernel list` and `kernel clean`.")]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    List(list::Args),
    Clean(clean::Args),
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let cache = Cache::locate(&Environment::of_process())?;
    match args.command {
        None => list::run(&list::Args::default(), &cache),
        Some(Command::List(args)) => list::run(&args, &cache),
        Some(Command::Clean(args)) => clean::run(&args, &cache),
    }
}

pub use item::items;
pub use list::{count_text, totals};
