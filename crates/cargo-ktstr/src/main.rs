//! `cargo ktstr`: test Linux CPU schedulers on real kernels.

mod cache;
mod completions;
mod confirm;
mod doctor;
mod empty_variables;
mod explore;
mod kernel;
mod man;
mod missing_tool;
mod presets;
mod progress;
mod replay;
mod shell;
mod similar;
mod size;
mod stats;
mod test;
mod verifier;

use std::{env, ffi::OsString, process::ExitCode};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo-ktstr",
    bin_name = "cargo ktstr",
    version,
    about,
    arg_required_else_help = true,
    after_help = "Examples:\n  cargo ktstr doctor\n  cargo ktstr kernel fetch\n  cargo ktstr test"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Test(test::Args),
    Shell(shell::Args),
    Replay(replay::Args),
    Explore(Box<explore::Args>),
    Verifier(verifier::Args),
    Stats(stats::Args),
    Kernel(kernel::Args),
    Cache(cache::Args),
    Doctor(doctor::Args),
    Completions(completions::Args),
    #[command(hide = true)]
    Man(man::Args),
}

/// The command line that completions and manual pages are made from.
fn command_line() -> clap::Command {
    let bare = clap::Command::new("cargo-ktstr")
        .bin_name("cargo-ktstr")
        .version(env!("CARGO_PKG_VERSION"))
        .about(env!("CARGO_PKG_DESCRIPTION"));
    Command::augment_subcommands(bare)
}

/// The arguments without the `ktstr` that cargo puts first when it runs `cargo ktstr`.
fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<_> = env::args_os().collect();
    if arguments.get(1).is_some_and(|first| first == "ktstr") {
        arguments.remove(1);
    }
    arguments
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Test(args) => test::run(&args),
        Command::Shell(args) => shell::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Explore(args) => explore::run(&args),
        Command::Verifier(args) => verifier::run(&args),
        Command::Stats(args) => stats::run(&args),
        Command::Kernel(args) => kernel::run(args).map(done),
        Command::Cache(args) => cache::run(args).map(done),
        Command::Doctor(args) => doctor::run(&args),
        Command::Completions(args) => completions::run(&args).map(done),
        Command::Man(args) => man::run(&args).map(done),
    }
}

fn parse() -> Cli {
    let matches = empty_variables::ignore(Cli::command()).get_matches_from(arguments());
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

fn main() -> ExitCode {
    match run(parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            if missing_tool::is_cause(&error) {
                eprintln!("run `cargo ktstr doctor`");
            }
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
        command_line().debug_assert();
    }

    #[test]
    fn every_help_has_an_example() {
        fn without_example(command: &clap::Command) -> Vec<String> {
            let has = command.get_after_help().is_some_and(|text| text.to_string().contains("Example"));
            let own = (!has).then(|| command.get_name().to_owned());
            own.into_iter().chain(command.get_subcommands().flat_map(without_example)).collect()
        }
        let bad: Vec<_> = command_line().get_subcommands().flat_map(without_example).collect();
        assert!(bad.is_empty(), "{bad:?}");
        assert!(Cli::command().get_after_help().is_some());
    }
}
