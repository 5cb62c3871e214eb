//! Announces the parts of a long command, with the time each took.

use std::time::Instant;

use anyhow::{Result, anyhow, bail};

use ktstr_host::Invocation;

/// Runs `command` as a stage called `name`.
///
/// # Errors
/// When it fails; the message names the stage and the command to repeat it with.
pub fn run(name: &str, command: &Invocation) -> Result<()> {
    timed(name, &command.to_string(), || match command.status()? {
        status if status.success() => Ok(()),
        status => bail!("{status}"),
    })
}

/// Runs `work` as a stage called `name`, which `command` would repeat.
///
/// # Errors
/// What `work` returned, with the stage's name and the command.
pub fn timed<T>(name: &str, command: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("==> {name}: {command}");
    let start = Instant::now();
    let result = work();
    let seconds = start.elapsed().as_secs_f64();
    match result {
        Ok(value) => {
            eprintln!("==> {name}: done in {seconds:.1} s");
            Ok(value)
        }
        Err(error) => Err(anyhow!("{name} failed after {seconds:.1} s: {error:#}\nTo repeat it: {command}")),
    }
}
