//! Control groups, version 2.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ktstr_model::{CpuSet, cgroup_name, cgroup_parent};

use crate::error::{GuestError, on_file};
use crate::topology::TestTopology;

mod cpuset_history;
mod file;
mod group;
mod handle;
mod knobs;
mod removal;

pub(crate) use cpuset_history::CpusetHistory;
pub use group::CgroupGroup;
pub use handle::Cgroup;
pub(crate) use removal::limit_hits;

/// Controllers that a test's cgroups have, as far as the kernel offers them.
const CONTROLLERS: [&str; 5] = ["cpu", "cpuset", "io", "memory", "pids"];

/// Where a test makes its cgroups: one group that holds them all.
#[derive(Debug)]
pub struct Cgroups {
    root: PathBuf,
    parent: PathBuf,
    machine: Arc<Machine>,
    made: Mutex<Vec<PathBuf>>,
}

/// What cgroups can be confined to at most.
#[derive(Debug)]
struct Machine {
    cpus: CpuSet,
    nodes: BTreeSet<usize>,
}

impl Cgroups {
    /// Cgroups below `parent` (`ktstr` when there is none), relative to the cgroup2 mounted at `root`. Nothing is made
    /// yet.
    ///
    /// # Errors
    /// When `parent` is no name for a cgroup.
    pub(crate) fn below(
        root: PathBuf,
        parent: Option<&str>,
        topology: &TestTopology,
    ) -> Result<Self, GuestError> {
        let parent = root.join(cgroup_parent(parent.unwrap_or("ktstr"))?);
        let nodes = topology.nodes().iter().map(|node| node.id as usize).collect();
        let machine = Arc::new(Machine { cpus: topology.cpus().clone(), nodes });
        Ok(Self { root, parent, machine, made: Mutex::default() })
    }

    /// The folder that holds the test's cgroups. It exists once the first of them was made.
    pub fn parent(&self) -> &Path {
        &self.parent
    }

    /// Makes a cgroup. A name with slashes makes a nested one; levels above it are made where they are missing. The
    /// controllers that this kernel has of cpu, cpuset, io, memory and pids are enabled on each level above.
    ///
    /// # Errors
    /// When the name is none, when the cgroup exists, or when a level above it cannot be made or prepared, which is so
    /// when it has tasks of its own.
    pub fn create(&self, name: &str) -> Result<Cgroup, GuestError> {
        let path = self.parent.join(cgroup_name(name)?);
        self.make_levels(path.parent().unwrap_or(&self.parent))?;
        fs::create_dir(&path).map_err(on_file("create cgroup", &path))?;
        Ok(Cgroup::new(name.to_owned(), path, self.root.clone(), Arc::clone(&self.machine)))
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

/// Kills what runs in the cgroups below `parent` (`ktstr` when there is none), and removes them: a test process that was
/// killed has not done so.
///
/// # Errors
/// As [`Cgroup::kill`], and when `parent` is no name for a cgroup.
pub fn remove_leftovers(parent: Option<&str>) -> Result<(), GuestError> {
    let name = cgroup_parent(parent.unwrap_or("ktstr"))?;
    let Some(root) = mounted_root() else { return Ok(()) };
    let path = root.join(name);
    if !path.is_dir() {
        return Ok(());
    }
    let machine = Arc::new(Machine { cpus: CpuSet::default(), nodes: BTreeSet::new() });
    Cgroup::new(name.to_owned(), path, root, machine).remove()
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
    let (offered, enabled) =
        (file::read(&level.join("cgroup.controllers"))?, file::read(&level.join("cgroup.subtree_control"))?);
    for controller in CONTROLLERS {
        let listed = |list: &str| list.split_ascii_whitespace().any(|name| name == controller);
        if listed(&offered) && !listed(&enabled) {
            file::write(&level.join("cgroup.subtree_control"), &format!("+{controller}"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
