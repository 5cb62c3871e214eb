//! The kernel that our own tests run on, fetched once and kept in ktstr's cache.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::stage;
use crate::workspace::Workspace;
use ktstr_host::Invocation;

/// An entry of `cargo ktstr kernel list --json`, as far as it matters here.
#[derive(Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
enum Listed {
    Ready { image: PathBuf, version: String, sched_ext: bool, source: String },
    Corrupt {},
}

/// The source of kernels that were fetched, as the list has it.
const FETCHED: &str = "Debian";
/// The oldest series that the example has to work on, beside the newest kernel.
pub const OLD_SERIES: &str = "6.18";

/// Runs the `cargo ktstr` that was just built.
pub fn cargo_ktstr(workspace: &Workspace, words: &str) -> Invocation {
    Invocation::of(workspace.program("cargo-ktstr")).arg("ktstr").args(words.split_whitespace())
}

/// Fetches the newest ready-made kernel unless the cache has it.
///
/// # Errors
/// When there is no network and no kernel in the cache.
pub fn fetch(workspace: &Workspace) -> Result<()> {
    stage::run("kernel", &cargo_ktstr(workspace, "kernel fetch"))
}

/// Fetches the newest ready-made kernel as [`fetch`] does, with nothing on stdout, which may be for figures.
///
/// # Errors
/// As [`fetch`].
pub fn fetch_quietly(workspace: &Workspace) -> Result<()> {
    cargo_ktstr(workspace, "kernel fetch").stdout()?;
    Ok(())
}

/// The image of the newest fetched kernel in the cache that can load BPF schedulers. Not one that was built here: our
/// tests shall run on the same kernel everywhere.
///
/// # Errors
/// When there is none.
pub fn newest_image(workspace: &Workspace) -> Result<PathBuf> {
    newest_in(&cargo_ktstr(workspace, "kernel list --json").stdout()?, "")
}

/// Fetches the newest kernel of a series such as `6.18` unless the cache has one, and returns its image. What is printed is
/// not on stdout, which may be for figures.
///
/// # Errors
/// When there is none and none can be fetched.
pub fn image_of(workspace: &Workspace, series: &str) -> Result<PathBuf> {
    let fetch = cargo_ktstr(workspace, &format!("kernel fetch {series}"));
    stage::timed("kernel", &fetch.to_string(), || Ok(fetch.stdout()?))?;
    newest_in(&cargo_ktstr(workspace, "kernel list --json").stdout()?, &format!("{series}."))
}

/// The newest whose version begins so; the list is newest first.
fn newest_in(printed: &str, version_begins: &str) -> Result<PathBuf> {
    let listed: Vec<Listed> =
        serde_json::from_str(printed).context("cannot read what `cargo ktstr kernel list --json` printed")?;
    let usable = |listed| match listed {
        Listed::Ready { image, sched_ext: true, version, source }
            if source == FETCHED && version.starts_with(version_begins) =>
        {
            Some(image)
        }
        Listed::Ready { .. } | Listed::Corrupt {} => None,
    };
    let newest = listed.into_iter().find_map(usable);
    newest.context("no kernel with sched_ext in the cache: `cargo ktstr kernel fetch` gets one")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROKEN: &str = r#"{"state": "corrupt", "key": "k", "bytes": 1, "reason": "r"}"#;

    fn ready(image: &str, sched_ext: bool) -> String {
        let source = if image == "/built" { "built" } else { FETCHED };
        let version = if image == "/c" { "6.18.15" } else { "7.3.4" };
        format!(
            r#"{{"state": "ready", "key": "k", "image": "{image}", "sched_ext": {sched_ext}, "version": "{version}", "source": "{source}"}}"#
        )
    }

    #[test]
    fn the_newest_usable_kernel_is_taken() {
        let entries =
            [ready("/a", false), ready("/built", true), ready("/b", true), ready("/c", true)].join(", ");
        let listed = format!("[{BROKEN}, {entries}]");
        assert_eq!(newest_in(&listed, "").unwrap(), PathBuf::from("/b"));
        assert_eq!(newest_in(&listed, "6.18.").unwrap(), PathBuf::from("/c"));
        assert!(newest_in(&listed, "6.1.").is_err());
    }

    #[test]
    fn no_usable_kernel_is_an_error_that_says_what_to_do() {
        for listed in ["[]".to_owned(), format!("[{BROKEN}]"), format!("[{}]", ready("/a", false))] {
            assert!(newest_in(&listed, "").unwrap_err().to_string().contains("kernel fetch"), "{listed}");
        }
        assert!(newest_in("no JSON", "").is_err());
    }
}
