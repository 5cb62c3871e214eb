//! Tools that come from the Rust package registry.

use std::path::PathBuf;
use std::{env, fs};

use anyhow::Result;

use crate::stage;
use ktstr_host::{Invocation, install_nextest};

/// Installs cargo-nextest unless it is there.
///
/// # Errors
/// When it cannot be built.
pub fn need_nextest() -> Result<()> {
    need("cargo-nextest", &install_nextest()).map(drop)
}

/// mdBook's program, installed unless it is there.
///
/// # Errors
/// When it cannot be built.
pub fn mdbook() -> Result<PathBuf> {
    // Its server, its search and an optimiser for our few pages would make it three times as long to build.
    need("mdbook", &Invocation::new("cargo install --locked --no-default-features --debug mdbook"))
}

fn need(tool: &str, install: &Invocation) -> Result<PathBuf> {
    if let Some(program) = find(tool) {
        return Ok(program);
    }
    stage::run(&format!("installing {tool}, once (some minutes)"), install)?;
    // A name alone: `cargo install` has said where it went and whether PATH lacks that folder.
    Ok(find(tool).unwrap_or_else(|| PathBuf::from(tool)))
}

/// Looks where cargo looks for its subcommands: its own folder of programs, then `PATH`.
fn find(tool: &str) -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let path = env::var_os("PATH").unwrap_or_default();
    home.map(|home| home.join("bin"))
        .into_iter()
        .chain(env::split_paths(&path))
        .map(|folder| folder.join(tool))
        .find(|program| fs::metadata(program).is_ok_and(|file| file.is_file()))
}
