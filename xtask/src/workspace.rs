//! Where the workspace is and what is in it, as cargo tells.

use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use ktstr_host::Invocation;

/// Makes the workspace's root the current folder, so that printed commands and paths are short.
///
/// # Errors
/// When this program was not started by cargo, or the root is gone.
pub fn enter_root() -> Result<()> {
    // Asked at run time: a target folder shared by several clones keeps no path of any of them.
    let package = env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask`")?;
    let package = PathBuf::from(package);
    let root = package.parent().context("xtask's folder has no parent")?;
    env::set_current_dir(root).with_context(|| format!("cannot enter {}", root.display()))
}

/// The files that git knows or would take, as paths from the root. With `pattern`, only those that match it.
///
/// What is not committed yet counts too: better to hear of it before the commit.
///
/// # Errors
/// When this is no clone.
pub fn files(pattern: Option<&str>) -> Result<Vec<PathBuf>> {
    let list = Invocation::new("git ls-files -z --cached --others --exclude-standard --").args(pattern);
    let listed = list.stdout()?;
    // What was deleted and not committed is listed as well.
    Ok(listed.split_terminator('\0').map(PathBuf::from).filter(|path| path.exists()).collect())
}

/// The workspace, from `cargo metadata`.
#[derive(Deserialize)]
pub struct Workspace {
    /// Our own packages.
    pub packages: Vec<Package>,
    /// Where cargo puts what it builds.
    pub target_directory: PathBuf,
    /// The root folder.
    pub workspace_root: PathBuf,
}

/// A package of the workspace.
#[derive(Deserialize)]
pub struct Package {
    /// As `Cargo.toml` has it.
    pub name: String,
    /// Its `Cargo.toml`.
    pub manifest_path: PathBuf,
    /// What it says it depends on.
    pub dependencies: Vec<Dependency>,
}

/// A dependency as a `Cargo.toml` declares it.
#[derive(Deserialize)]
pub struct Dependency {
    /// The package's name.
    pub name: String,
    /// `None` for a normal one, else `dev` or `build`.
    pub kind: Option<String>,
    /// Set when it is a folder rather than a registry's.
    pub path: Option<PathBuf>,
}

impl Workspace {
    /// Asks cargo.
    ///
    /// # Errors
    /// When a `Cargo.toml` is wrong.
    pub fn read() -> Result<Self> {
        let printed = Invocation::new("cargo metadata --no-deps --format-version 1").stdout()?;
        serde_json::from_str(&printed).context("cannot read what `cargo metadata` printed")
    }

    /// A program of ours that `cargo build` made.
    pub fn program(&self, name: &str) -> PathBuf {
        self.target_directory.join("debug").join(name)
    }
}
