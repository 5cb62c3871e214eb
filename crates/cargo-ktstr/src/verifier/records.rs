//! The records of a sweep.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ktstr_results::Record;
use serde::Deserialize;

use crate::test;

/// Where records go: `KTSTR_SIDECAR_DIR`, else `ktstr` in cargo's target folder.
pub fn folder() -> Result<PathBuf> {
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    if let Some(folder) = std::env::var_os("KTSTR_SIDECAR_DIR").filter(|folder| !folder.is_empty()) {
        return Ok(std::path::absolute(folder)?);
    }
    let output = test::cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("running `cargo metadata`")?;
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("reading `cargo metadata`")?;
    Ok(metadata.target_directory.join("ktstr"))
}

/// The records of cells of a sweep below `folder` that began at or after a time.
pub fn since(folder: &Path, unix_ms: u64) -> Vec<Record> {
    let folders = entries(folder).filter(|path| path.is_dir()).chain([folder.to_owned()]);
    let files =
        folders.flat_map(|folder| entries(&folder)).filter(|path| path.extension() == Some("json".as_ref()));
    let records = files.filter_map(|path| serde_json::from_slice::<Record>(&fs::read(path).ok()?).ok());
    records.filter(|record| record.began_unix_ms >= unix_ms && record.cell.is_some()).collect()
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}
