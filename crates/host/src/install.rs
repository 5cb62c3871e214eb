//! From what is missing to the commands that bring it.

use crate::apt::{self, Archive};
use crate::consent::as_root;
use crate::{Host, HostError, Invocation, Packages};

/// What has to be run to install something.
#[derive(Debug)]
pub enum Plan {
    /// These commands, then it is there.
    Commands(Vec<Invocation>),
    /// These commands fetch the package lists; then plan again. A fresh system knows no package yet.
    ListsFirst(Vec<Invocation>),
    /// This system has no package manager that we know.
    NoPackageManager,
}

/// How this user installs `wanted` on `host`. Runs nothing but questions to the package manager.
///
/// # Errors
/// When no source has what is wanted, or there is no way to become root.
pub fn plan_install(host: &Host, wanted: &[Packages]) -> Result<Plan, HostError> {
    if host.find("apt-get").is_none() {
        return Ok(Plan::NoPackageManager);
    }
    let archive = Archive::ask(wanted)?;
    if archive.is_empty() {
        return Ok(Plan::ListsFirst(as_root(host, &[apt::update()])?));
    }
    Ok(Plan::Commands(as_root(host, &apt::plan(wanted, &archive)?)?))
}
