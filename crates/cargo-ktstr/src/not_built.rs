//! Subcommands that are part of the design and not built yet. Building one removes it here.

use std::ffi::OsString;

use anyhow::{Result, bail};
use clap::Subcommand;

/// They take any arguments, `--help` too, so that whatever is typed gets the one true answer.
#[derive(Debug, Subcommand)]
pub enum Command {
    #[command(hide = true, disable_help_flag = true)]
    Shell(Anything),
    #[command(hide = true, disable_help_flag = true)]
    Replay(Anything),
}

#[derive(Debug, clap::Args)]
pub struct Anything {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _arguments: Vec<OsString>,
}

/// Says that the subcommand is not built.
pub fn run(command: &Command) -> Result<()> {
    let name = match command {
        Command::Shell(_) => "shell",
        Command::Replay(_) => "replay",
    };
    bail!("`cargo ktstr {name}` is not built yet; `cargo ktstr --help` lists what is")
}
