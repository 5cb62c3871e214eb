//! Where records are.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use ktstr_results::{RecordFolder, RunFolder};
use serde::Deserialize;

/// The folder of records: `named`, else `KTSTR_SIDECAR_DIR`, else that of this workspace.
pub fn records(named: Option<&Path>) -> Result<RecordFolder> {
    if let Some(folder) = named {
        // What holds records itself is one folder of runs.
        let run = RunFolder::at(folder)?;
        let folder = folder.to_owned();
        return Ok(if run.is_empty()? { RecordFolder::Below(folder) } else { RecordFolder::Fixed(folder) });
    }
    match std::env::var_os("KTSTR_SIDECAR_DIR").filter(|folder| !folder.is_empty()) {
        Some(folder) => Ok(RecordFolder::Fixed(folder.into())),
        None => Ok(RecordFolder::Below(target_folder()?.join("ktstr"))),
    }
}

/// Cargo's target folder.
fn target_folder() -> Result<PathBuf> {
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let output = cargo.args(["metadata", "--no-deps", "--format-version", "1"]).output();
    let output = output.context("running `cargo metadata`")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "cargo does not say where records are: {}; run this in your workspace, or name the folder with --dir",
            said.trim().trim_start_matches("error: ")
        );
    }
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).context("what `cargo metadata` printed")?;
    Ok(metadata.target_directory)
}
