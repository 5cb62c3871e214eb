//! `cargo xtask real-schedulers`: builds two schedulers that others wrote, and sweeps them. Opt-in: no other command needs
//! them.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ktstr_host::{Host, Invocation};

use crate::workspace::Workspace;
use crate::{cargo_tools, kernel, setup, stage};

/// The schedulers, as the package registry has them. `fixtures/guest-tests/tests/real_schedulers.rs` declares them.
const SCHEDULERS: [&str; 2] = ["scx_bpfland@1.1.4", "scx_cosmos@1.1.7"];

/// Build two real schedulers from the package registry into ktstr's cache, and sweep them through the verifier
///
/// The first time it takes a quarter of an hour on two idle cores and 1.2 GB of disk. What is built already is not built
/// again; after an interruption it goes on where it was.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask real-schedulers\n  cargo xtask real-schedulers --build-only\n  \
                        cargo xtask real-schedulers -- --kernel 6.18 --kernel 7.0 --preset tiny-1llc"
)]
pub struct Args {
    #[command(flatten)]
    setup: setup::Args,
    /// Do not sweep them
    #[arg(long)]
    build_only: bool,
    /// Arguments for `cargo ktstr verifier`
    #[arg(value_name = "VERIFIER ARGS", last = true, conflicts_with = "build_only")]
    verifier: Vec<String>,
}

/// `cargo xtask real-schedulers`.
///
/// # Errors
/// The first step that failed, and how to repeat it.
pub fn run(args: &Args) -> Result<()> {
    setup::complete(args.setup.yes, setup::OF_USERS)?;
    let folder = folder()?;
    let host = Host::of_process();
    let clang = host.clang.clone().unwrap_or_else(|| host.newest_clang().into());
    for scheduler in SCHEDULERS {
        stage::run(scheduler, &install(scheduler, &folder, &clang))?;
    }
    if args.build_only {
        println!("The schedulers are in {}.", folder.join("bin").display());
        return Ok(());
    }
    cargo_tools::need_nextest()?;
    stage::run("building cargo-ktstr", &Invocation::new("cargo build --package cargo-ktstr"))?;
    let workspace = Workspace::read()?;
    let sweep = kernel::cargo_ktstr(&workspace, "verifier")
        .args(args.verifier.iter().cloned())
        .args(["--", "--test", "real_schedulers"])
        .env("PATH", search_path(&folder)?)
        .in_folder("fixtures/guest-tests");
    stage::run("sweeping", &sweep)
}

/// `PATH` with what was built in front.
///
/// # Errors
/// When there is no `PATH`.
pub fn search_path(folder: &Path) -> Result<String> {
    let search = env::var("PATH").context("PATH")?;
    Ok(format!("{}:{search}", folder.join("bin").display()))
}

/// Whether both have been built.
pub fn are_built(folder: &Path) -> bool {
    let name = |scheduler: &str| scheduler.split('@').next().unwrap_or_default().to_owned();
    SCHEDULERS.iter().all(|scheduler| folder.join("bin").join(name(scheduler)).exists())
}

/// Where they are built and installed: below the cache folder, as `ktstr_kernel::Cache` finds it.
///
/// # Errors
/// When the environment does not say where the cache is.
pub fn folder() -> Result<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("KTSTR_CACHE_DIR")
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("ktstr")))
        .or_else(|| set("HOME").map(|folder| folder.join(".cache/ktstr")));
    Ok(cache
        .context("neither KTSTR_CACHE_DIR nor XDG_CACHE_HOME nor HOME says where the cache is")?
        .join("schedulers"))
}

/// cargo leaves what is installed in the wanted version as it is.
fn install(scheduler: &str, folder: &Path, clang: &Path) -> Invocation {
    Invocation::new("cargo install --locked")
        .arg(scheduler)
        .arg("--root")
        .arg(folder.display().to_string())
        .env("BPF_CLANG", clang.display().to_string())
        .env("CARGO_TARGET_DIR", folder.join("target").display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_pinned() {
        let command = install(SCHEDULERS[0], Path::new("/c"), Path::new("clang-19")).to_string();
        assert!(command.contains("cargo install --locked scx_bpfland@1.1.4 --root /c"), "{command}");
        assert!(command.contains("CARGO_TARGET_DIR=/c/target"), "{command}");
        assert!(command.contains("BPF_CLANG=clang-19"), "{command}");
    }
}
