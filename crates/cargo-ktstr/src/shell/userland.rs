//! The programs that a shell is of use with: busybox from the host's distribution.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use ktstr_host::{Host, OF_SHELLS};
use ktstr_vm::Payload;

use crate::missing_tool::NoBusybox;

const IN_GUEST: &str = "/bin/busybox";
/// Whoever looks for a user's name finds one.
const USERS: &str = "root:x:0:0:root:/root:/bin/sh\n";
const GROUPS: &str = "root:x:0:\n";

/// Adds busybox under each of the names that it has a program for.
///
/// # Errors
/// When the host has no busybox, or it does not tell its names.
pub fn add(payload: &mut Payload) -> Result<()> {
    let program =
        Host::of_process().find("busybox").ok_or_else(|| NoBusybox(OF_SHELLS[0].packages.to_string()))?;
    let listed = Command::new(&program).arg("--list-full").output();
    let listed = listed.with_context(|| format!("running {}", program.display()))?;
    ensure!(listed.status.success(), "`{} --list-full` failed: {}", program.display(), listed.status);
    payload.add_program(&program, IN_GUEST)?;
    let listed = String::from_utf8_lossy(&listed.stdout);
    // Its own name is on the list too.
    for name in listed.lines().filter(|name| !IN_GUEST.ends_with(name)) {
        payload.add_link(name, IN_GUEST);
    }
    payload.add_bytes("/etc/passwd", 0o644, USERS.into());
    payload.add_bytes("/etc/group", 0o644, GROUPS.into());
    Ok(())
}
