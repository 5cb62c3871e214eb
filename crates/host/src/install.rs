//! From what is missing to the commands that bring it.

use crate::apt::{self, Archive};
use crate::consent::as_root;
use crate::{Host, HostError, Invocation, Packages};

/// The commands with which this user installs `wanted` on `host`; none when it has no package manager that we know.
///
/// A fresh system knows no package yet, so it cannot tell which ones it could install: then `carry_out` gets the command
/// that fetches its lists. Otherwise nothing is run but questions to the package manager.
///
/// # Errors
/// When no source has what is wanted, there is no way to become root, or `carry_out` fails.
pub fn plan_install<E: From<HostError>>(
    host: &Host,
    wanted: &[Packages],
    carry_out: impl FnOnce(&[Invocation]) -> Result<(), E>,
) -> Result<Option<Vec<Invocation>>, E> {
    if host.find("apt-get").is_none() {
        return Ok(None);
    }
    let mut archive = Archive::ask(wanted)?;
    if archive.is_empty() {
        eprintln!("The package lists are empty; they have to be fetched first.");
        carry_out(&as_root(host, &[apt::update()])?)?;
        archive = Archive::ask(wanted)?;
    }
    Ok(Some(as_root(host, &apt::plan(wanted, &archive)?)?))
}
