//! Shell scripts play the scheduler, and a folder plays the kernel's sysfs: the scripts write its state.

use std::fs;
use std::fs::File;
use std::time::{Duration, Instant};

use ktstr_model::ExitHow;
use ktstr_wire::{layout, read_log};

use super::*;
use crate::channel::Channel;
use crate::channel::tests::{area_of, channel_file, order};

const SECOND: u64 = 1_000 * MS;

struct Kernel {
    sysfs: tempfile::TempDir,
    channel: File,
}

impl Kernel {
    fn new() -> Self {
        let sysfs = tempfile::tempdir().unwrap();
        fs::create_dir_all(sysfs.path().join("kernel/sched_ext/root")).unwrap();
        fs::write(sysfs.path().join("kernel/sched_ext/state"), "disabled\n").unwrap();
        fs::write(sysfs.path().join("kernel/sched_ext/root/ops"), "mini_1.0\n").unwrap();
        Self { sysfs, channel: channel_file(&order("t")) }
    }

    fn start(&self, script: &str, timeout_ns: u64) -> Result<Program, Box<NotStarted>> {
        let script = format!("cd {}/kernel/sched_ext; {script}", self.sysfs.path().display());
        let channel = Channel::open(self.channel.try_clone().unwrap().into(), 0).unwrap();
        let log = channel.log("scheduler log", layout::SCHEDULER_LOG).unwrap();
        Program::start("/bin/sh", &["-c".into(), script], timeout_ns, log, self.sysfs.path())
    }

    fn log(&self) -> String {
        read_log(&area_of(&self.channel, layout::SCHEDULER_LOG)).text
    }
}

fn after(seconds: u64) -> u64 {
    monotonic_ns() + seconds * SECOND
}

#[test]
fn one_that_comes_up_is_watched_and_interrupted() {
    let kernel = Kernel::new();
    let script = "echo loading; sleep 0.1; echo enabled > state; trap 'echo bye >&2; exit 0' INT; \
                  while :; do sleep 0.05; done";
    let program = kernel.start(script, 10 * SECOND).unwrap();
    assert!(program.alive());
    let began = Instant::now();
    assert!(!program.dies_before(monotonic_ns() + 250 * MS));
    assert!(began.elapsed() >= Duration::from_millis(250));
    let pid = program.pid();
    let report = program.stop();
    assert!(report.enabled_after_ns.unwrap() >= 100 * MS);
    assert_eq!(report.exit, Some(ExitHow::Code(0)));
    assert_eq!((report.pid, report.ops.as_deref()), (Some(pid), Some("mini_1.0")));
    assert_eq!((report.died_at_ns, report.ignored_sigint), (None, false));
    assert_eq!(kernel.log(), "loading\nbye\n");
}

#[test]
fn one_that_ends_at_once_is_reported_with_its_exit() {
    let kernel = Kernel::new();
    let not_started = kernel.start("echo 'no BTF'; exit 3", 10 * SECOND).unwrap_err();
    assert_eq!(not_started.failure, GuestFailure::SchedulerExited(ExitHow::Code(3)));
    assert_eq!(not_started.report.exit, Some(ExitHow::Code(3)));
    assert_eq!(not_started.report.enabled_after_ns, None);
    assert_eq!(kernel.log(), "no BTF\n");
}

#[test]
fn one_that_enables_nothing_is_stopped_after_its_time() {
    let kernel = Kernel::new();
    let not_started = kernel.start("echo enabling > state; exec sleep 60", 300 * MS).unwrap_err();
    assert_eq!(not_started.failure, GuestFailure::SchedulerNeverEnabled("enabling".into()));
    assert_eq!(not_started.report.exit, Some(ExitHow::Signal(libc::SIGINT)));
}

#[test]
fn one_that_dies_is_noticed_at_once_and_may_finish_its_dump() {
    let kernel = Kernel::new();
    let script = "echo enabled > state; sleep 0.3; echo disabled > state; sleep 0.5; echo dump; exit 2";
    let program = kernel.start(script, 10 * SECOND).unwrap();
    let began = Instant::now();
    assert!(program.dies_before(after(20)));
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(!program.alive());
    let report = program.stop();
    assert!(report.died_at_ns.is_some_and(|at| at < monotonic_ns()));
    assert_eq!((report.exit, report.ignored_sigint), (Some(ExitHow::Code(2)), false));
    assert_eq!(kernel.log(), "dump\n");
}

#[test]
fn a_crash_wakes_the_waiter() {
    let kernel = Kernel::new();
    let program = kernel.start("echo enabled > state; sleep 0.2; kill -SEGV $$", 10 * SECOND).unwrap();
    assert!(program.dies_before(after(20)));
    assert_eq!(program.stop().exit, Some(ExitHow::Signal(libc::SIGSEGV)));
}

#[test]
fn one_that_ignores_sigint_is_killed() {
    let kernel = Kernel::new();
    let script = "trap '' INT; echo enabled > state; while :; do sleep 1; done";
    let report = kernel.start(script, 10 * SECOND).unwrap().stop();
    assert!(report.ignored_sigint);
    assert_eq!((report.exit, report.died_at_ns), (Some(ExitHow::Signal(libc::SIGKILL)), None));
}

#[test]
fn a_kernel_without_sched_ext_and_a_missing_program_are_told_apart() {
    let kernel = Kernel::new();
    let channel = Channel::open(kernel.channel.try_clone().unwrap().into(), 0).unwrap();
    let log = || channel.log("scheduler log", layout::SCHEDULER_LOG).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let none = Program::start("/bin/true", &[], SECOND, log(), elsewhere.path()).unwrap_err();
    assert_eq!(none.failure, GuestFailure::NoSchedExt);
    let missing = Program::start("/ktstr/scx_none", &[], SECOND, log(), kernel.sysfs.path()).unwrap_err();
    let GuestFailure::Setup(why) = missing.failure else { panic!("{:?}", missing.failure) };
    assert!(why.starts_with("cannot start the scheduler /ktstr/scx_none: No such file"), "{why}");
}

#[test]
fn one_that_is_busy_in_the_kernel_gets_more_time() {
    let at = |began_ns, in_kernel_ns| Window { began_ns, in_kernel_ns };
    assert!(at(10 * SECOND, 6 * SECOND).is_busy_since(&at(0, 0)));
    assert!(!at(10 * SECOND, 4 * SECOND).is_busy_since(&at(0, 0)));
    assert!(
        !at(20 * SECOND, 10 * SECOND).is_busy_since(&at(10 * SECOND, 6 * SECOND)),
        "what counts is the last piece"
    );
}
