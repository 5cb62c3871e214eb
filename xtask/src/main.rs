//! The project's chores, run as `cargo xtask COMMAND`. One file for each command.

mod bench;
mod cargo_tools;
mod demo;
mod determinism;
mod docs;
mod kernel;
mod real_schedulers;
mod setup;
mod stage;
mod style;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The project's chores")]
enum Xtask {
    Demo(demo::Args),
    Test(test::Args),
    Setup(setup::Args),
    Bench(bench::Args),
    Style(style::Args),
    Docs(docs::Args),
    Determinism(determinism::Args),
    RealSchedulers(real_schedulers::Args),
}

fn main() -> ExitCode {
    let command = Xtask::parse();
    let outcome = workspace::enter_root().and_then(|()| match command {
        Xtask::Demo(args) => demo::run(&args),
        Xtask::Test(args) => test::run(&args),
        Xtask::Setup(args) => setup::run(&args),
        Xtask::Bench(args) => bench::run(&args),
        Xtask::Style(args) => style::run(&args),
        Xtask::Docs(args) => docs::run(&args),
        Xtask::Determinism(args) => determinism::run(&args),
        Xtask::RealSchedulers(args) => real_schedulers::run(&args),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Xtask::command().debug_assert();
    }

    #[test]
    fn nextest_gets_what_follows_two_dashes_and_nothing_else() {
        let parse = |words: &str| Xtask::try_parse_from(words.split_whitespace());
        let Ok(Xtask::Test(args)) = parse("xtask test --slow -- -E test(steady)") else { panic!() };
        assert_eq!(args.nextest, ["-E", "test(steady)"]);
        assert!(parse("xtask test --quik").is_err());
        assert!(parse("xtask test --quick --slow").is_err());
    }
}
