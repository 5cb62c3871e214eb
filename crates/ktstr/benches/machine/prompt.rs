//! How long somebody waits for the prompt of `cargo ktstr shell`.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};
use rexpect::session::spawn_command;

use crate::figures::{Figure, Output, median};

/// Shells that are opened.
const ROUNDS: usize = 9;
/// What is aimed at, in milliseconds.
const AIM: f64 = 500.0;
/// Far beyond what the first one takes, which may boot a template.
const PATIENCE_MS: u64 = 600_000;
const PROMPT: &str = "guest:~# ";

/// Measures from the start of `program`, which is cargo-ktstr, to the prompt, with the template cached.
pub fn measure(output: &Output, program: &Path) -> Result<()> {
    output.progress("opening a shell, and once more so often");
    open(program).context("the shell that boots the template")?;
    let times = (0..ROUNDS).map(|_| open(program)).collect::<Result<Vec<f64>>>()?;
    output.figure(&Figure { name: "shell_prompt", value: median(times), unit: "ms", baseline: AIM });
    Ok(())
}

/// Milliseconds to the prompt.
fn open(program: &Path) -> Result<f64> {
    let mut command = Command::new(program);
    command.args(["ktstr", "shell"]);
    let began = Instant::now();
    let mut session = spawn_command(command, Some(PATIENCE_MS))?;
    session.exp_string(PROMPT)?;
    let waited = began.elapsed();
    session.send_line("exit")?;
    session.exp_eof()?;
    Ok(waited.as_secs_f64() * 1e3)
}
