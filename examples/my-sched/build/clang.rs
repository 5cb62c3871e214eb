//! Finds a clang that can compile BPF schedulers.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Older versions lack BPF features that sched_ext programs rely on.
const OLDEST: u32 = 18;

/// `$BPF_CLANG`, else the newest `clang-NN` in `PATH`, else `clang`; at least version 18.
pub fn find() -> Result<PathBuf, String> {
    println!("cargo::rerun-if-env-changed=BPF_CLANG");
    println!("cargo::rerun-if-env-changed=PATH");
    if let Some(chosen) = env::var_os("BPF_CLANG") {
        return Ok(chosen.into());
    }
    if let Some((_, path)) = versioned_in_path().into_iter().max_by_key(|(version, _)| *version) {
        return Ok(path);
    }
    let plain = Path::new("clang");
    match version_of(plain) {
        Some(version) if version >= OLDEST => Ok(plain.into()),
        Some(version) => Err(format!("`clang` is version {version}, {}", what_to_do())),
        None => Err(format!("there is no clang in PATH, {}", what_to_do())),
    }
}

fn what_to_do() -> String {
    format!(
        "and BPF schedulers need {OLDEST} or newer.\n\
         On Debian: apt-get install clang-19 libelf-dev zlib1g-dev pkg-config\n\
         Or name a compiler with BPF_CLANG=/path/to/clang."
    )
}

/// Every `clang-NN` in `PATH` that is new enough, with its version.
fn versioned_in_path() -> Vec<(u32, PathBuf)> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.strip_prefix("clang-")?.parse().ok()?;
            (version >= OLDEST).then(|| (version, entry.path()))
        })
        .collect()
}

/// Reads the major version from the first line of `clang --version`.
fn version_of(clang: &Path) -> Option<u32> {
    let output = Command::new(clang).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (_, version) = text.split_once("version ")?;
    version.split('.').next()?.parse().ok()
}
