//! `cargo ktstr`: test Linux CPU schedulers on real kernels.

mod kernel;
mod not_built;
mod progress;
mod test;

use std::{env, ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo-ktstr", bin_name = "cargo ktstr", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Test(test::Args),
    Kernel(kernel::Args),
    #[command(flatten)]
    NotBuilt(not_built::Command),
}

/// The arguments without the `ktstr` that cargo puts first when it runs `cargo ktstr`.
fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<_> = env::args_os().collect();
    if arguments.get(1).is_some_and(|first| first == "ktstr") {
        arguments.remove(1);
    }
    arguments
}

fn main() -> ExitCode {
    let result = match Cli::parse_from(arguments()).command {
        Command::Test(args) => test::run(&args),
        Command::Kernel(args) => kernel::run(args).map(|()| ExitCode::SUCCESS),
        Command::NotBuilt(command) => not_built::run(&command).map(|()| ExitCode::SUCCESS),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
