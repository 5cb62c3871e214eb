use std::process::{Command, Stdio};

use super::*;
use crate::file_lock::without_locks;

fn capacity(cpus: &[usize], memory_mb: u64) -> HostCapacity {
    HostCapacity { cpus: cpus.to_vec(), memory_mb }
}

fn pool(folder: &Path, cpus: &[usize], memory_mb: u64) -> Pool {
    Pool::with_capacity(folder, capacity(cpus, memory_mb)).unwrap()
}

fn share(cpus: usize, memory_mb: u64) -> Share {
    Share { cpus, memory_mb }
}

#[test]
fn a_machine_takes_cpus_by_its_mode_and_memory_by_its_size() {
    let spec = |mode| MachineSpec {
        kernel: "k".into(),
        kernel_sha256: String::new(),
        kargs: Vec::new(),
        topology: ktstr_model::Topology::of(1, 2, 4, 1),
        memory_mb: 2048,
        mode,
        purpose: crate::Purpose::Test,
        disk_mb: 0,
    };
    assert_eq!(Share::of(&spec(Mode::Deterministic)), share(1, 640));
    assert_eq!(Share::of(&spec(Mode::RealTime)), share(8, 640));
}

#[test]
fn there_are_as_many_leases_as_cpus() {
    let folder = tempfile::tempdir().unwrap();
    let mut all: Vec<Pool> = (0..3).map(|_| pool(folder.path(), &[0, 1], 4000)).collect();
    assert_eq!(all[0].try_take(share(1, 100)).unwrap(), Some(vec![0]));
    assert_eq!(all[1].try_take(share(1, 100)).unwrap(), Some(vec![1]));
    assert_eq!(all[2].try_take(share(1, 100)).unwrap(), None);
    drop(all.remove(0));
    assert_eq!(pool(folder.path(), &[0, 1], 4000).try_take(share(8, 100)).unwrap(), None, "one is not all");
}

#[test]
fn a_lease_that_is_dropped_is_free_again() {
    let folder = tempfile::tempdir().unwrap();
    let first = pool(folder.path(), &[4], 4000).wait_for(share(1, 100), &mut |_: &str| {}).unwrap().unwrap();
    let second = pool(folder.path(), &[4], 4000);
    assert_eq!(second.try_take(share(1, 100)).unwrap(), None);
    drop(first);
    assert_eq!(second.try_take(share(1, 100)).unwrap(), Some(vec![4]));
}

#[test]
fn a_real_time_machine_takes_what_it_needs_or_all() {
    let folder = tempfile::tempdir().unwrap();
    let first = pool(folder.path(), &[0, 1, 2], 4000);
    assert_eq!(first.try_take(share(2, 100)).unwrap(), Some(vec![0, 1]));
    let second = pool(folder.path(), &[0, 1, 2], 4000);
    assert_eq!(second.try_take(share(16, 100)).unwrap(), None);
    drop(first);
    assert_eq!(second.try_take(share(16, 100)).unwrap(), Some(vec![0, 1, 2]));
}

#[test]
fn memory_counts_over_all_cpus() {
    let folder = tempfile::tempdir().unwrap();
    let first = pool(folder.path(), &[0, 1], 1000);
    assert!(first.try_take(share(2, 700)).unwrap().is_some());
    // Another process that may use other CPUs.
    let second = pool(folder.path(), &[6, 7], 1000);
    assert_eq!(second.try_take(share(1, 400)).unwrap(), None);
    assert_eq!(second.try_take(share(1, 300)).unwrap(), Some(vec![6]));
}

#[test]
fn one_that_is_larger_than_the_host_runs_alone() {
    let folder = tempfile::tempdir().unwrap();
    let first = pool(folder.path(), &[0, 1], 1000);
    assert!(first.try_take(share(1, 5000)).unwrap().is_some());
    assert_eq!(pool(folder.path(), &[0, 1], 1000).try_take(share(1, 1)).unwrap(), None);
}

#[test]
fn a_second_machine_of_a_thread_goes_with_the_first() {
    let cache = tempfile::tempdir().unwrap();
    let everything = share(usize::MAX, 1);
    let mut silent = |_: &str| {};
    let first = Lease::take(cache.path(), everything, &mut silent).unwrap();
    let second = Lease::take(cache.path(), everything, &mut silent).unwrap();
    let cpus = HostCapacity::of_this_process().cpus;
    let other = pool(&cache.path().join(LEASES), &cpus, 1000);
    drop(first);
    assert_eq!(other.try_take(share(1, 1)).unwrap(), None, "the second still has it");
    drop(second);
    assert!(other.try_take(share(1, 1)).unwrap().is_some());
}

#[test]
fn a_cache_that_cannot_be_written_has_no_leases() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("file");
    fs::write(&cache, "").unwrap();
    let mut said = Vec::new();
    drop(Lease::take(&cache, share(1, 1), &mut |what: &str| said.push(what.to_owned())).unwrap());
    assert!(said.len() == 1 && said[0].starts_with("without a lease"), "{said:?}");
}

#[test]
fn where_files_cannot_be_locked_nobody_waits() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (pool(folder.path(), &[0], 1000), pool(folder.path(), &[0], 1000));
    let no_locks = |name| without_locks(&folder.path().join(name));
    let gate = Pool { gate: no_locks(GATE), ..first };
    gate.wait_for(share(1, 1), &mut |_: &str| {}).unwrap_err();
    let slots = Pool { slots: vec![(0, no_locks("cpu-0"))], ..second };
    slots.wait_for(share(1, 1), &mut |_: &str| {}).unwrap_err();
}

/// The variable with the folder for the processes of the tests below.
const FOLDER: &str = "LEASE_FOLDER";

/// The test of this name, in a process of its own with `folder` in its environment.
fn in_another_process(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("lease::tests::{name}"), "--nocapture"]).env(FOLDER, folder);
    command
}

#[test]
fn who_is_asked_to_end_does_not_wait() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        crate::interrupt_waits();
        let mine = pool(Path::new(&folder), &[0], 1000);
        assert!(mine.wait_for(share(1, 1), &mut |_: &str| {}).unwrap().is_none());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut other = in_another_process("who_is_asked_to_end_does_not_wait", folder.path());
    let busy = pool(folder.path(), &[0], 1000);
    assert!(busy.try_take(share(1, 1)).unwrap().is_some());
    assert!(other.status().unwrap().success(), "at a slot");
    busy.slots[0].1.unlock().unwrap();
    assert!(was_had(busy.gate.try_lock()).unwrap());
    assert!(other.status().unwrap().success(), "at the gate");
}

#[test]
fn a_dead_process_holds_no_lease() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let pool = pool(Path::new(&folder), &[0], 1000);
        assert!(pool.try_take(share(1, 999)).unwrap().is_some());
        println!("taken");
        sleep(Duration::from_secs(600));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut other = in_another_process("a_dead_process_holds_no_lease", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = io::BufRead::lines(io::BufReader::new(other.stdout.take().unwrap()));
    assert!(lines.any(|line| line.unwrap().ends_with("taken")));
    let own = pool(folder.path(), &[0], 1000);
    assert_eq!(own.try_take(share(1, 10)).unwrap(), None);
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(own.try_take(share(1, 10)).unwrap(), Some(vec![0]));
    assert_eq!(own.memory_of_others_mb(&[&own.slots[0]]).unwrap(), 0);
}
