//! Control groups, version 2.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ktstr_model::{cgroup_name, cgroup_parent};
use rustix::event::PollFlags;

use crate::clock::monotonic_ns;
use crate::error::{GuestError, on_file};
use crate::process::wait_for;

/// Controllers that a test's cgroups have, as far as the kernel offers them.
const CONTROLLERS: [&str; 2] = ["cpu", "cpuset"];
/// How long killed tasks may take to leave. A task dies only when it gets a CPU, so a stalled scheduler holds this up
/// until the kernel's watchdog throws it out, after 30 s at the latest.
const KILL_GRACE_S: u64 = 60;

/// Where a test makes its cgroups: one group that holds them all.
#[derive(Debug)]
pub struct Cgroups {
    root: PathBuf,
    parent: PathBuf,
    made: Mutex<Vec<PathBuf>>,
}

impl Cgroups {
    /// Cgroups below `parent` (`ktstr` when there is none), relative to the cgroup2 mounted at `root`. Nothing is made
    /// yet.
    ///
    /// # Errors
    /// When `parent` is no name for a cgroup.
    pub(crate) fn below(root: PathBuf, parent: Option<&str>) -> Result<Self, GuestError> {
        let parent = root.join(cgroup_parent(parent.unwrap_or("ktstr"))?);
        Ok(Self { root, parent, made: Mutex::default() })
    }

    /// The folder that holds the test's cgroups. It exists once the first of them was made.
    pub fn parent(&self) -> &Path {
        &self.parent
    }

    /// Makes a cgroup. A name with slashes makes a nested one; levels above it are made where they are missing. The cpu
    /// and cpuset controllers are enabled on each level above.
    ///
    /// # Errors
    /// When the name is none, when the cgroup exists, or when a level above it cannot be made or prepared, which is so
    /// when it has tasks of its own.
    pub fn create(&self, name: &str) -> Result<Cgroup, GuestError> {
        let path = self.parent.join(cgroup_name(name)?);
        self.make_levels(path.parent().unwrap_or(&self.parent))?;
        fs::create_dir(&path).map_err(on_file("create cgroup", &path))?;
        Ok(Cgroup { name: name.to_owned(), path, removed: false })
    }

    /// Makes the group that holds them all: a scheduler that is told of it looks for it when it starts.
    ///
    /// # Errors
    /// When it cannot be made or prepared.
    pub(crate) fn make_parent(&self) -> Result<(), GuestError> {
        self.make_levels(&self.parent)
    }

    /// Makes what is missing from the root down to `path`, with controllers for the cgroups below.
    fn make_levels(&self, path: &Path) -> Result<(), GuestError> {
        let mut level = self.root.clone();
        enable_controllers(&level)?;
        for part in path.strip_prefix(&self.root).unwrap_or(path).components() {
            level.push(part);
            match fs::create_dir(&level) {
                Ok(()) => self.made.lock().unwrap_or_else(PoisonError::into_inner).push(level.clone()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(on_file("create cgroup", &level)(error)),
            }
            enable_controllers(&level)?;
        }
        Ok(())
    }
}

impl Drop for Cgroups {
    /// Removes the levels that were made on the way to a cgroup. Those that still hold something stay.
    fn drop(&mut self) {
        let made = self.made.get_mut().unwrap_or_else(PoisonError::into_inner);
        made.iter().rev().for_each(|path| drop(fs::remove_dir(path)));
    }
}

/// A cgroup. Dropping it kills its tasks and removes it with everything below.
#[derive(Debug)]
#[must_use = "a cgroup is removed when it is dropped"]
pub struct Cgroup {
    name: String,
    path: PathBuf,
    removed: bool,
}

impl Cgroup {
    /// Its name below the test's parent group.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Moves a process with all its threads into it.
    ///
    /// # Errors
    /// When the kernel refuses: the process is gone, or the cgroup has controllers enabled for cgroups below it.
    pub fn add(&self, pid: u32) -> Result<(), GuestError> {
        write(&self.path.join("cgroup.procs"), &pid.to_string())
    }

    /// Process ids of its tasks.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn pids(&self) -> Result<Vec<u32>, GuestError> {
        let path = self.path.join("cgroup.procs");
        let text = fs::read_to_string(&path).map_err(on_file("read", &path))?;
        Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
    }

    /// Kills its tasks, waits until they are gone, and removes it with everything below.
    ///
    /// # Errors
    /// When tasks do not die within 60 s of guest time, or when the kernel refuses.
    pub fn remove(mut self) -> Result<(), GuestError> {
        self.remove_once()
    }

    fn remove_once(&mut self) -> Result<(), GuestError> {
        if std::mem::replace(&mut self.removed, true) {
            return Ok(());
        }
        if self.populated()? {
            write(&self.path.join("cgroup.kill"), "1")?;
            self.wait_until_empty()?;
        }
        remove_tree(&self.path)
    }

    fn wait_until_empty(&self) -> Result<(), GuestError> {
        let path = self.path.join("cgroup.events");
        // The kernel announces a change to whoever has read the file before; so open, look, and only then wait.
        let events = fs::File::open(&path).map_err(on_file("open", &path))?;
        let deadline_ns = monotonic_ns() + KILL_GRACE_S * 1_000_000_000;
        while io::read_to_string(&events).map_err(on_file("read", &path))?.contains("populated 1") {
            if !wait_for(&events, PollFlags::PRI, deadline_ns)? {
                let pids: Vec<String> = self.pids()?.iter().map(u32::to_string).collect();
                let tasks = if pids.is_empty() { "tasks below it".to_owned() } else { pids.join(", ") };
                return Err(GuestError::CgroupBusy { path: self.path.clone(), tasks, seconds: KILL_GRACE_S });
            }
            rustix::fs::seek(&events, rustix::fs::SeekFrom::Start(0))
                .map_err(|errno| on_file("read", &path)(errno.into()))?;
        }
        Ok(())
    }

    fn populated(&self) -> Result<bool, GuestError> {
        let path = self.path.join("cgroup.events");
        Ok(fs::read_to_string(&path).map_err(on_file("read", &path))?.contains("populated 1"))
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        if let Err(error) = self.remove_once() {
            eprintln!("ktstr: {error}");
        }
    }
}

/// The folder where a cgroup2 is mounted, if there is one.
pub(crate) fn mounted_root() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let mut mounts = mounts.lines().map(|line| line.split(' '));
    mounts.find_map(|mut fields| {
        let (path, kind) = (fields.nth(1)?, fields.next()?);
        (kind == "cgroup2").then(|| PathBuf::from(path))
    })
}

fn enable_controllers(level: &Path) -> Result<(), GuestError> {
    let read = |file: &str| {
        let path = level.join(file);
        fs::read_to_string(&path).map_err(on_file("read", &path))
    };
    let (offered, enabled) = (read("cgroup.controllers")?, read("cgroup.subtree_control")?);
    for controller in CONTROLLERS {
        let listed = |list: &str| list.split_ascii_whitespace().any(|name| name == controller);
        if listed(&offered) && !listed(&enabled) {
            write(&level.join("cgroup.subtree_control"), &format!("+{controller}"))?;
        }
    }
    Ok(())
}

fn write(path: &Path, value: &str) -> Result<(), GuestError> {
    let file = fs::OpenOptions::new().write(true).open(path);
    file.and_then(|mut file| file.write_all(value.as_bytes()))
        .map_err(on_file(format!("write `{value}` to"), path))
}

/// Removes a cgroup and those below it, the deepest first. The files in it go with it.
fn remove_tree(path: &Path) -> Result<(), GuestError> {
    for entry in fs::read_dir(path).map_err(on_file("list", path))? {
        let entry = entry.map_err(on_file("list", path))?;
        if entry.file_type().map_err(on_file("list", path))?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(path).map_err(on_file("remove cgroup", path))
}

#[cfg(test)]
mod tests;
