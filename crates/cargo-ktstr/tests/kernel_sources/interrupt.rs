//! Builds that are ended from outside.

use std::{
    fs,
    os::unix::process::CommandExt,
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::host::Host;

/// A build, in its own process group as a shell starts it, in the middle of compiling.
fn compiling(host: &Host) -> Child {
    // In place of the shell, so that make's signal reaches it.
    host.edit("before-build", "touch $1/begun\nexec sleep 200\n");
    let child = std::process::Command::new(assert_cmd::cargo::cargo_bin("cargo-ktstr"))
        .args(["kernel", "build", "--source", "linux"])
        .env_clear()
        .env("KTSTR_CACHE_DIR", host.path("cache"))
        .env("PATH", host.path("bin"))
        .current_dir(host.dir.path())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let begun = || {
        fs::read_dir(host.path("cache/build"))
            .is_ok_and(|builds| builds.flatten().any(|b| b.path().join("objects/begun").exists()))
    };
    wait_until("the build compiles", begun);
    child
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..1200 {
        if is_so() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("a minute is over, and not yet: {what}");
}

/// Processes of the group that still run.
fn running(group: u32) -> Vec<String> {
    let stats = fs::read_dir("/proc").unwrap().flatten().filter_map(|dir| {
        let stat = fs::read_to_string(dir.path().join("stat")).ok()?;
        // The name, in brackets, may have blanks.
        let fields: Vec<_> = stat.rsplit_once(") ")?.1.split(' ').map(str::to_owned).collect();
        (fields[0] != "Z" && fields[2] == group.to_string()).then_some(stat)
    });
    stats.collect()
}

fn leaves_nothing(host: &Host, mut child: Child) {
    child.wait().unwrap();
    let group = child.id();
    wait_until("no process of the build is left", || running(group).is_empty());
    assert!(host.entries().is_empty());
    let kernels = fs::read_dir(host.path("cache/kernels")).unwrap().flatten();
    let others: Vec<_> = kernels.map(|entry| entry.file_name()).filter(|name| name != ".locks").collect();
    assert!(others.is_empty(), "{others:?}");

    host.edit("before-build", "");
    let (said, _) = host.succeeds("build --source linux");
    assert!(said.contains(" built: "), "{said}");
    assert_eq!(host.entries().len(), 1);
}

#[test]
fn ctrl_c_leaves_no_entry_and_no_process() {
    let host = Host::with_tree();
    let child = compiling(&host);
    assert!(running(child.id()).len() >= 3, "the command, make and what make runs");
    // A terminal sends it to the whole group.
    kill_process_group(Pid::from_child(&child), Signal::INT).unwrap();
    leaves_nothing(&host, child);
}

#[test]
fn a_command_that_is_killed_takes_its_make_with_it() {
    let host = Host::with_tree();
    let mut child = compiling(&host);
    // Only the command itself: its children have to notice.
    child.kill().unwrap();
    leaves_nothing(&host, child);
}
