//! The project's chores, run as `cargo xtask COMMAND`. One file for each command.

mod cargo_tools;
mod demo;
mod docs;
mod invocation;
mod kernel;
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
    Style(style::Args),
    Docs(docs::Args),
}

fn main() -> ExitCode {
    let command = Xtask::parse();
    let outcome = workspace::enter_root().and_then(|()| match command {
        Xtask::Demo(args) => demo::run(&args),
        Xtask::Test(args) => test::run(&args),
        Xtask::Setup(args) => setup::run(&args),
        Xtask::Style(args) => style::run(&args),
        Xtask::Docs(args) => docs::run(&args),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
