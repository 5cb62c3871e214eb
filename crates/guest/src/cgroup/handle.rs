//! One cgroup and its tasks.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{CpusetHistory, Machine, file};
use crate::error::GuestError;

/// How often tasks are moved before those that keep on forking win.
const MOVE_ROUNDS: u32 = 100;

/// A cgroup. Dropping it kills its tasks and removes it with everything below.
#[derive(Debug)]
#[must_use = "a cgroup is removed when it is dropped"]
pub struct Cgroup {
    name: String,
    path: PathBuf,
    root: PathBuf,
    pub(super) machine: Arc<Machine>,
    cpusets: Arc<CpusetHistory>,
    pub(super) removed: bool,
}

impl Cgroup {
    pub(super) fn new(name: String, path: PathBuf, root: PathBuf, machine: Arc<Machine>) -> Self {
        let cpusets = Arc::new(CpusetHistory::of(&path));
        Self { name, path, root, machine, cpusets, removed: false }
    }

    /// Its name below the test's parent group.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which CPUs its tasks could use. It outlives the cgroup.
    pub(crate) fn cpusets(&self) -> &Arc<CpusetHistory> {
        &self.cpusets
    }

    /// Moves a process with all its threads into it.
    ///
    /// # Errors
    /// When the kernel refuses: the process is gone, or the cgroup has controllers enabled for cgroups below it.
    pub fn add(&self, pid: u32) -> Result<(), GuestError> {
        file::write(&self.path.join("cgroup.procs"), &pid.to_string())
    }

    /// Process ids of its tasks.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn pids(&self) -> Result<Vec<u32>, GuestError> {
        let text = file::read(&self.path.join("cgroup.procs"))?;
        Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
    }

    /// Whether so many more tasks have room within its `pids.max` and those of the levels above. The kernel would let them
    /// be moved in, and only refuse what they fork.
    ///
    /// # Errors
    /// When they have none, with the limit.
    pub(crate) fn check_room(&self, more: u64) -> Result<(), GuestError> {
        let levels = self.path.ancestors().take_while(|level| **level != self.root);
        for level in levels {
            let Some(limit) = file::number(&level.join("pids.max")) else { continue };
            let there = file::number(&level.join("pids.current")).unwrap_or(0);
            if there.saturating_add(more) > limit {
                let own = level == self.path;
                let cgroup = if own { self.name.clone() } else { level.display().to_string() };
                return Err(GuestError::CgroupFull { cgroup, limit, there, more });
            }
        }
        Ok(())
    }

    /// Moves all its processes to another cgroup; those of cgroups below it stay. How many were moved.
    ///
    /// # Errors
    /// When the kernel refuses, or when new ones keep on being forked.
    pub fn move_all_to(&self, other: &Self) -> Result<usize, GuestError> {
        self.move_all(&other.path)
    }

    /// Moves all its processes out of all cgroups of the test, to the root. How many were moved.
    ///
    /// # Errors
    /// As [`move_all_to`](Self::move_all_to).
    pub fn drain(&self) -> Result<usize, GuestError> {
        self.move_all(&self.root)
    }

    fn move_all(&self, to: &Path) -> Result<usize, GuestError> {
        let (procs, mut moved) = (to.join("cgroup.procs"), 0);
        for _ in 0..MOVE_ROUNDS {
            let pids = self.pids()?;
            if pids.is_empty() {
                return Ok(moved);
            }
            for pid in pids {
                match file::write(&procs, &pid.to_string()) {
                    Ok(()) => moved += 1,
                    // It has ended meanwhile.
                    Err(GuestError::File { source, .. }) if is_gone(&source) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Err(GuestError::CgroupRefills { path: self.path.clone(), tasks: self.describe_tasks() })
    }
}

fn is_gone(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ESRCH)
}
