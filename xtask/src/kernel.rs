//! The kernel that our own tests run on, fetched once and kept in ktstr's cache.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::invocation::Invocation;
use crate::stage;
use crate::workspace::Workspace;

/// One line of `cargo ktstr kernel list --json`, as far as it matters here.
#[derive(Deserialize)]
struct Listed {
    image: PathBuf,
}

/// Runs the `cargo ktstr` that was just built.
pub fn cargo_ktstr(workspace: &Workspace, words: &str) -> Invocation {
    Invocation::of(workspace.program("cargo-ktstr")).arg("ktstr").args(words.split_whitespace())
}

/// Fetches the newest ready-made kernel unless the cache has it.
///
/// # Errors
/// When there is no network and no kernel in the cache.
pub fn fetch(workspace: &Workspace) -> Result<()> {
    stage::run("fetching a kernel, once (14 MB)", &cargo_ktstr(workspace, "kernel fetch"))
}

/// The image of the newest kernel in the cache.
///
/// # Errors
/// When there is none.
pub fn newest_image(workspace: &Workspace) -> Result<PathBuf> {
    newest_in(&cargo_ktstr(workspace, "kernel list --json").stdout()?)
}

fn newest_in(printed: &str) -> Result<PathBuf> {
    let listed: Vec<Listed> =
        serde_json::from_str(printed).context("cannot read what `cargo ktstr kernel list --json` printed")?;
    let newest = listed.into_iter().next().context("no kernel in the cache: `cargo ktstr kernel fetch`")?;
    Ok(newest.image)
}
