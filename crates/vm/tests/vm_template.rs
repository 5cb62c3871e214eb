//! Templates that are damaged, half-written, contended or have nowhere to be.

// Clippy allows this in tests, but not in the functions they share.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ktstr_kernel::Sha256Sum;
use ktstr_vm::{Qemu, Template, VmError, start_clone};
use support::{DEADLINE, program, spec, template_in};

/// Tells the child test below where to build, and what.
const CHILD_CACHE: &str = "KTSTR_TEST_CHILD_CACHE";
const CHILD_TOPOLOGY: &str = "KTSTR_TEST_CHILD_TOPOLOGY";

fn build_in_child(cache: &Path, topology: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_builds", "--ignored", "--nocapture"])
        .env(CHILD_CACHE, cache)
        .env(CHILD_TOPOLOGY, topology)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Not a test of its own: what `build_in_child` runs.
#[test]
#[ignore = "run by the other tests of this file as a child process"]
fn child_that_builds() {
    let Some(cache) = std::env::var_os(CHILD_CACHE) else { return };
    let topology = std::env::var(CHILD_TOPOLOGY).unwrap();
    let (template, said) = template_in(Path::new(&cache), &spec(&topology));
    template.unwrap();
    println!("said: {said:?}");
}

fn folders(cache: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(cache.join("templates")).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// QEMU processes that have a file below `folder` on their command line.
fn qemus_of(folder: &Path) -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let name = folder.display().to_string();
    lines.filter(|line| String::from_utf8_lossy(line).contains(&name)).count()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < end, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Everything that needs a template of its own, in one test: each boot takes seconds.
#[test]
fn a_template_is_built_once_kept_and_never_used_damaged() {
    let cache = tempfile::tempdir().unwrap();
    let cache = cache.path();

    // A builder that is killed half-way leaves no machine, and nothing that could be taken for a template.
    let killed = build_in_child(cache, "1n1l1c1t");
    wait_until("the builder's machine", || qemus_of(cache) > 0);
    kill(killed, cache);
    assert!(folders(cache).iter().all(|folder| folder.extension().is_some_and(|e| e == "half")));

    // Two processes that want one template: one builds, the other waits.
    let outputs = [build_in_child(cache, "1n1l1c1t"), build_in_child(cache, "1n1l1c1t")]
        .map(|child| child.wait_with_output().unwrap());
    let said: Vec<String> =
        outputs.iter().map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).collect();
    assert!(outputs.iter().all(|output| output.status.success()), "{said:?}");
    assert_eq!(said.iter().filter(|said| said.contains("booting a")).count(), 1, "{said:?}");
    assert_eq!(said.iter().filter(|said| said.contains("another process builds")).count(), 1, "{said:?}");
    assert_eq!(folders(cache).len(), 1, "the half-written folder is gone");

    // What is there is used as it is, and a clone works without changing it.
    let (template, said) = template_in(cache, &spec("1n1l1c1t"));
    let template = template.unwrap();
    assert!(said.is_empty() && !template.fresh, "{said:?}");
    let qemu = Qemu::find().unwrap();
    let folder = folders(cache)[0].clone();
    let before = Sha256Sum::of_file(&folder.join("ram0")).unwrap();
    let payload = program("/usr/bin/true");
    run_clone(&qemu, &template);
    assert_eq!(Sha256Sum::of_file(&folder.join("ram0")).unwrap(), before);

    // While another template is built, machines of this one run. A host with one CPU has room for one machine.
    if std::thread::available_parallelism().unwrap().get() > 1 {
        let mut builder = build_in_child(cache, "1n1l2c1t");
        wait_until("the builder's machine", || qemus_of(cache) > 0);
        run_clone(&qemu, &template);
        assert!(builder.try_wait().unwrap().is_none(), "the clone waited for the other template");
        kill(builder, cache);
    }

    // Damage of every kind is noticed, said, and mended.
    let [record, state] = ["record.json", "state"].map(|file| fs::read(folder.join(file)).unwrap());
    let foreign = String::from_utf8(record.clone()).unwrap().replace(template.key(), "0123456789abcdef");
    let truncate = |file: &str, bytes: &[u8]| fs::write(folder.join(file), bytes).unwrap();
    truncate("record.json", &record[..20]);
    assert_damaged(cache, &folder, "record.json");
    truncate("record.json", foreign.as_bytes());
    assert_damaged(cache, &folder, "another machine");
    truncate("record.json", &record);
    truncate("state", b"");
    assert_damaged(cache, &folder, "device state is damaged");
    // Half of the device state in a template that is otherwise as it should be: QEMU's own words are shown.
    let half = &state[..state.len() / 2];
    let sound = String::from_utf8(record).unwrap();
    truncate("state", half);
    let forged = sound.replace(&Sha256Sum::of(&state).to_string(), &Sha256Sum::of(half).to_string());
    truncate("record.json", forged.as_bytes());
    let template = template_in(cache, &spec("1n1l1c1t")).0.unwrap();
    let refused = start_clone(&qemu, &template, &payload, &mut |_: &str| {});
    let error = refused.err().unwrap().to_string();
    for words in ["no machine could be made from the template in", "QEMU said: ", "load of migration failed"]
    {
        assert!(error.contains(words), "`{words}` is not in {error}");
    }
    truncate("record.json", sound.as_bytes());
    truncate("state", &state);
    fs::File::options().write(true).open(folder.join("ram0")).unwrap().set_len(4096).unwrap();
    let (template, said) = template_in(cache, &spec("1n1l1c1t"));
    assert!(said[0].contains("ram0 has 4096 bytes"), "{said:?}");
    assert!(template.unwrap().fresh);
}

fn run_clone(qemu: &Qemu, template: &Template) {
    let mut machine = start_clone(qemu, template, &program("/usr/bin/true"), &mut |_: &str| {}).unwrap();
    machine.wait_stop(DEADLINE).unwrap();
    machine.end();
}

/// Kills a builder and waits until its machine is gone, too.
fn kill(mut builder: Child, cache: &Path) {
    builder.kill().unwrap();
    builder.wait().unwrap();
    wait_until("the end of the machine", || qemus_of(cache) == 0);
}

/// Damage of `template` is told before the machine boots; a folder that cannot be written stops it there, which saves the boot.
fn assert_damaged(cache: &Path, template: &Path, why: &str) {
    let half = template.with_extension("half");
    fs::write(&half, "in the way").unwrap();
    let (template, said) = template_in(cache, &spec("1n1l1c1t"));
    assert!(said.iter().any(|line| line.contains(why)), "{why}: {said:?}");
    assert!(template.is_err(), "the obstacle was not met");
    fs::remove_file(half).unwrap();
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = template_in(&file.join("cache"), &spec("1n1l1c1t")).0.unwrap_err();
    assert!(matches!(error, VmError::CacheNotWritable { .. }), "{error}");
    assert!(error.to_string().contains("KTSTR_CACHE_DIR"), "{error}");
}

/// A file system of its own in memory, unmounted at the end; `None` where only root may mount one.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn with(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder.path()).stderr(Stdio::null());
        if mount.status().is_ok_and(|status| status.success()) {
            return Some(Self(folder));
        }
        eprintln!("skipped: a file system can be mounted by root only");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

#[test]
fn a_read_only_cache_is_named() {
    let Some(mounted) = Mounted::with("ro") else { return };
    let error = template_in(mounted.path(), &spec("1n1l1c1t")).0.unwrap_err();
    assert!(matches!(error, VmError::CacheNotWritable { .. }), "{error}");
    assert!(error.to_string().contains("Read-only file system"), "{error}");
}

#[test]
fn a_full_disk_is_said_before_anything_is_booted() {
    let Some(mounted) = Mounted::with("size=16m") else { return };
    let error = template_in(mounted.path(), &spec("1n1l1c1t")).0.unwrap_err();
    assert!(matches!(error, VmError::DiskFull { .. }), "{error}");
    assert!(error.to_string().contains("MiB free"), "{error}");
}

#[test]
fn a_disk_that_fills_up_while_a_template_is_written_is_said_and_leaves_nothing() {
    let Some(mounted) = Mounted::with("size=260m") else { return };
    let cache = mounted.path();
    let error = std::thread::scope(|scope| {
        let building = scope.spawn(|| template_in(cache, &spec("1n1l1c1t")).0.map(drop));
        wait_until("the machine's boot", || qemus_of(cache) > 0);
        // A fast boot has taken its part by then: the disk is full either way.
        if let Err(error) = fs::write(cache.join("something else"), vec![1; 220 << 20]) {
            assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        }
        building.join().unwrap().unwrap_err()
    });
    assert!(matches!(error, VmError::DiskFull { .. }), "{error}");
    assert!(error.to_string().contains("KTSTR_CACHE_DIR"), "{error}");
    assert!(folders(cache).is_empty(), "{:?}", folders(cache));
    assert_eq!(qemus_of(cache), 0);
}
