//! The end of a cgroup, whatever its tasks are up to.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::{Cgroup, file};
use crate::error::{GuestError, on_file};

/// How long killed tasks may take to leave. A task dies only when it gets a CPU, so a stalled scheduler holds this up
/// until the kernel's watchdog throws it out, after 30 s at the latest.
const KILL_GRACE_S: u64 = 60;
/// The last task of a cgroup may leave it a moment after it is no longer counted.
const BUSY_TRIES: u32 = 50;
const BUSY_PAUSE: Duration = Duration::from_millis(10);

impl Cgroup {
    /// Kills its tasks and those of cgroups below it, and waits until they are gone.
    ///
    /// # Errors
    /// When tasks do not die within 60 s of guest time, or when the kernel refuses; says which tasks, and what they are
    /// waiting for.
    pub fn kill(&self) -> Result<(), GuestError> {
        if !file::read(&self.path().join("cgroup.events"))?.contains("populated 1") {
            return Ok(());
        }
        file::write(&self.path().join("cgroup.kill"), "1")?;
        if self.wait_for_event("populated 0", KILL_GRACE_S)? {
            return Ok(());
        }
        let (path, tasks) = (self.path().to_owned(), self.describe_tasks());
        Err(GuestError::CgroupBusy { path, tasks, seconds: KILL_GRACE_S })
    }

    /// Kills its tasks, waits until they are gone, and removes it with everything below.
    ///
    /// # Errors
    /// As [`kill`](Self::kill).
    pub fn remove(mut self) -> Result<(), GuestError> {
        self.remove_once()
    }

    fn remove_once(&mut self) -> Result<(), GuestError> {
        if std::mem::replace(&mut self.removed, true) {
            return Ok(());
        }
        self.kill()?;
        remove_tree(self.path())
    }

    /// Its tasks and those below it, each with its command, state and what it waits for in the kernel.
    pub(super) fn describe_tasks(&self) -> String {
        let mut tasks = Vec::new();
        collect_tasks(self.path(), &mut tasks);
        if tasks.is_empty() { "no tasks any more".to_owned() } else { tasks.join(", ") }
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        if let Err(error) = self.remove_once() {
            eprintln!("ktstr: {error}");
        }
    }
}

/// Limits of a cgroup that its tasks ran into, in words; for reports on tasks that died.
pub(crate) fn limit_hits(cgroup: &Path) -> Vec<String> {
    let limit = |name: &str| fs::read_to_string(cgroup.join(name)).unwrap_or_default().trim().to_owned();
    let mut hits = Vec::new();
    if let Some(kills @ 1..) = file::keyed(&cgroup.join("memory.events"), "oom_kill") {
        hits.push(format!("memory.max = {} of its cgroup killed {kills} tasks", limit("memory.max")));
    }
    if let Some(refused @ 1..) = file::keyed(&cgroup.join("pids.events"), "max") {
        hits.push(format!("pids.max = {} of its cgroup refused {refused} forks", limit("pids.max")));
    }
    hits
}

fn collect_tasks(cgroup: &Path, tasks: &mut Vec<String>) {
    let pids = fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    tasks.extend(pids.lines().map(describe_task));
    let below = fs::read_dir(cgroup).into_iter().flatten().flatten();
    below.filter(|entry| entry.path().is_dir()).for_each(|entry| collect_tasks(&entry.path(), tasks));
}

/// A task as `218 (cell_0/1, D in msleep)`.
fn describe_task(pid: &str) -> String {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let stat = read("stat");
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).unwrap_or('?');
    let place = match read("wchan").as_str() {
        "" | "0" => String::new(),
        wchan => format!(" in {wchan}"),
    };
    format!("{pid} ({}, {state}{place})", read("comm").trim())
}

/// Removes a cgroup and those below it, the deepest first. The files in it go with it.
fn remove_tree(path: &Path) -> Result<(), GuestError> {
    for entry in fs::read_dir(path).map_err(on_file("list", path))? {
        let entry = entry.map_err(on_file("list", path))?;
        if entry.file_type().map_err(on_file("list", path))?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    let mut tries = 0;
    loop {
        match fs::remove_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && tries < BUSY_TRIES => {
                tries += 1;
                thread::sleep(BUSY_PAUSE);
            }
            result => return result.map_err(on_file("remove cgroup", path)),
        }
    }
}
