//! `cargo ktstr completions`

use std::io::{Write as _, stdout};

use clap::ValueEnum;

/// Print a script that teaches a shell to complete `cargo-ktstr`
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo ktstr completions bash > ~/.local/share/bash-completion/completions/cargo-ktstr\n  \
                  cargo ktstr completions zsh > \"${fpath[1]}/_cargo-ktstr\"\n  \
                  cargo ktstr completions fish > ~/.config/fish/completions/cargo-ktstr.fish"
)]
pub struct Args {
    /// The shell
    shell: Shell,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let shell = match args.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::command_line(), "cargo-ktstr", &mut script);
    // Written here rather than by clap_complete, which panics when the pipe is closed.
    Ok(stdout().write_all(&script)?)
}
