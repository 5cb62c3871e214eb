//! `cargo ktstr kernel`: the kernels on this host.

mod clean;
mod fetch;
mod list;

use clap::Subcommand;
use ktstr_kernel::{Cache, Environment};

/// Fetch, list and remove kernels.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Fetch(fetch::Args),
    List(list::Args),
    Clean(clean::Args),
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let env = Environment::of_process();
    let cache = Cache::locate(&env)?;
    match args.command {
        Command::Fetch(args) => fetch::run(args, &env, &cache),
        Command::List(args) => list::run(&args, &env, &cache),
        Command::Clean(args) => clean::run(&args, &cache),
    }
}
