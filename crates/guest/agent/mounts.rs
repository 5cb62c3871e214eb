//! File systems of the guest.

use std::fs::{self, OpenOptions};
use std::os::fd::AsRawFd;

use crate::{Failure, sys};

/// What the agent itself needs: processes, devices, and a console to speak on.
pub fn before_channel() -> Result<(), Failure> {
    for (kind, target) in [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")] {
        mount(kind, target, "")?;
    }
    // The kernel opened no console for an initramfs that has no /dev/console.
    let console = OpenOptions::new().read(true).write(true).open("/dev/console").map_err(|e| format!("/dev/console: {e}"))?;
    for fd in 0..3 {
        sys::pass_on(console.as_raw_fd(), fd).map_err(|e| format!("stdio: {e}"))?;
    }
    // Descriptor 3 is the channel's in the test process; a console left there would be inherited instead.
    if console.as_raw_fd() < 3 {
        std::mem::forget(console);
    }
    Ok(())
}

/// What schedulers and tests expect to find mounted.
pub fn for_schedulers() -> Result<(), Failure> {
    for (kind, target, options) in [
        ("devpts", "/dev/pts", "gid=5,mode=620,ptmxmode=666"),
        ("tmpfs", "/dev/shm", "mode=1777"),
        ("tmpfs", "/tmp", "mode=1777"),
        ("tmpfs", "/run", "mode=755"),
        ("cgroup2", "/sys/fs/cgroup", ""),
    ] {
        mount(kind, target, options)?;
    }
    // A kernel without these still runs tests that do not need them.
    for (kind, target) in [("bpf", "/sys/fs/bpf"), ("debugfs", "/sys/kernel/debug"), ("tracefs", "/sys/kernel/tracing")] {
        if std::path::Path::new(target).is_dir() {
            let _ = mount(kind, target, "");
        }
    }
    // Also the folders that most payloads have files in.
    for folder in [
        "/var", "/etc", "/root", "/boot", "/ktstr/bin", "/include-files", "/lib64", "/lib/x86_64-linux-gnu",
        "/usr/lib/x86_64-linux-gnu",
    ] {
        fs::create_dir_all(folder).map_err(|e| format!("{folder}: {e}"))?;
    }
    std::os::unix::fs::symlink("/run", "/var/run").map_err(|e| format!("/var/run: {e}"))
}

fn mount(kind: &str, target: &str, options: &str) -> Result<(), Failure> {
    fs::create_dir_all(target).map_err(|e| format!("{target}: {e}"))?;
    sys::mount_at(kind, target, options).map_err(|e| format!("mounting {kind} on {target}: {e}"))
}
