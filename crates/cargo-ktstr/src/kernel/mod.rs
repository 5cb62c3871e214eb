//! `cargo ktstr kernel`: the kernels on this host.

mod build;
mod build_bar;
mod clean;
mod fetch;
mod list;

pub use build_bar::BuildBar;
use clap::Subcommand;
use ktstr_kernel::{Cache, Environment};

/// Build, fetch, list and remove kernels
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo ktstr kernel fetch 6.18\n  cargo ktstr kernel build 7.1\n  \
                  cargo ktstr kernel list")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Build(build::Args),
    Fetch(fetch::Args),
    List(list::Args),
    Clean(clean::Args),
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let env = Environment::of_process();
    let cache = Cache::locate(&env)?;
    match args.command {
        Command::Build(args) => build::run(args, &env, &cache),
        Command::Fetch(args) => fetch::run(args, &env, &cache),
        Command::List(args) => list::run(&args, &env, &cache),
        Command::Clean(args) => clean::run(&args, &cache),
    }
}
