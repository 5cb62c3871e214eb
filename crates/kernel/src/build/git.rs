//! Sources from a git repository, without its history.

use std::{fs, path::Path};

use crate::{Error, Progress, program::git_command};

/// The commit that `reference` is now; `None` for what only a fetch can tell, such as a part of a commit's name.
pub fn commit_of(url: &str, reference: &str) -> Result<Option<String>, Error> {
    if is_commit(reference) {
        return Ok(Some(reference.to_owned()));
    }
    // A tag's own line comes first and the commit that it is on, marked `^{}`, after it.
    let peeled = format!("{reference}^{{}}");
    let listed = git(None, url, &["ls-remote", "--", url, reference, &peeled])?;
    let lines: Vec<_> = listed.lines().filter_map(|line| line.split_once('\t')).collect();
    let exact = |suffix: &str| {
        let names =
            ["refs/tags/", "refs/heads/", "refs/", ""].map(|place| format!("{place}{reference}{suffix}"));
        names.iter().find_map(|name| lines.iter().find(|(_, found)| found == name))
    };
    Ok(exact("^{}").or_else(|| exact("")).map(|(commit, _)| (*commit).to_owned()))
}

/// Brings `tree` to what `reference` is in the repository, and returns its commit.
pub fn check_out(url: &str, reference: &str, tree: &Path, progress: &dyn Progress) -> Result<String, Error> {
    progress.step(&format!("Fetching {reference} of {url}"));
    fs::create_dir_all(tree).map_err(Error::cache_io("create", tree))?;
    git(Some(tree), url, &["init", "--quiet"])?;
    git(Some(tree), url, &["fetch", "--quiet", "--depth=1", "--no-tags", "--", url, reference])?;
    git(Some(tree), url, &["checkout", "--quiet", "--force", "--detach", "FETCH_HEAD"])?;
    git(Some(tree), url, &["clean", "-dffxq"])?;
    Ok(git(Some(tree), url, &["rev-parse", "HEAD"])?.trim().to_owned())
}

fn is_commit(reference: &str) -> bool {
    reference.len() == 40 && reference.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn git(tree: Option<&Path>, url: &str, arguments: &[&str]) -> Result<String, Error> {
    let refuse = |why: String| Error::Git { url: url.to_owned(), why };
    let mut command = git_command();
    // A question for a password would wait for ever behind the progress bar.
    command.env("GIT_TERMINAL_PROMPT", "0");
    if let Some(tree) = tree {
        command.arg("-C").arg(tree);
    }
    let output =
        command.args(arguments).output().map_err(|error| refuse(format!("git did not start: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    Err(refuse(lines[lines.len().saturating_sub(3)..].join("; ")))
}
