//! What a cgroup's tasks may use, and whether they may run.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use ktstr_model::{CgroupLimits, CpuSet};
use rustix::event::PollFlags;

use super::{Cgroup, file};
use crate::clock::monotonic_ns;
use crate::error::{GuestError, on_file};
use crate::process::wait_for;

/// How long tasks may take to freeze: each has to get a CPU for that.
const FREEZE_GRACE_S: u64 = 30;

impl Cgroup {
    /// Confines its tasks to these CPUs.
    ///
    /// # Errors
    /// When these are none, or not all of the machine, or when a level above is confined to others.
    pub fn set_cpus(&self, cpus: &CpuSet) -> Result<(), GuestError> {
        self.check_cpuset("cpuset.cpus", cpus, &self.machine.cpus)?;
        self.write_cpuset("cpuset.cpus", cpus)?;
        self.cpusets().look();
        Ok(())
    }

    /// Lets its tasks use all CPUs that the level above may use.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn clear_cpus(&self) -> Result<(), GuestError> {
        self.clear_cpuset("cpuset.cpus")?;
        self.cpusets().look();
        Ok(())
    }

    /// The CPUs that its tasks may use.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn cpus(&self) -> Result<CpuSet, GuestError> {
        self.read_set("cpuset.cpus.effective")
    }

    /// Confines the memory of its tasks to these NUMA nodes.
    ///
    /// # Errors
    /// When these are none, or not all of the machine, or when a level above is confined to others.
    pub fn set_mems(&self, nodes: &BTreeSet<usize>) -> Result<(), GuestError> {
        let nodes = CpuSet::of(nodes.iter().copied());
        self.check_cpuset("cpuset.mems", &nodes, &CpuSet::of(self.machine.nodes.iter().copied()))?;
        self.write_cpuset("cpuset.mems", &nodes)
    }

    /// Lets its tasks have memory on all NUMA nodes that the level above may use.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn clear_mems(&self) -> Result<(), GuestError> {
        self.clear_cpuset("cpuset.mems")
    }

    /// The NUMA nodes that its tasks may have memory on.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn mems(&self) -> Result<BTreeSet<usize>, GuestError> {
        Ok(self.read_set("cpuset.mems.effective")?.iter().map(|node| node as usize).collect())
    }

    /// Sets limits and weights; what is `None` stays as it is.
    ///
    /// # Errors
    /// When a value is out of range, or when this kernel has no such file.
    pub fn apply(&self, limits: &CgroupLimits) -> Result<(), GuestError> {
        let files = limits
            .files()
            .map_err(|source| GuestError::CgroupLimit { cgroup: self.name().to_owned(), source })?;
        files.iter().try_for_each(|(file, value)| self.write_knob(file, value))
    }

    /// Stops its tasks, and those of cgroups below it, where they are, and waits until all have stopped.
    ///
    /// # Errors
    /// When tasks do not stop within 30 s of guest time, or when the kernel refuses.
    pub fn freeze(&self) -> Result<(), GuestError> {
        file::write(&self.path().join("cgroup.freeze"), "1")?;
        if self.wait_for_event("frozen 1", FREEZE_GRACE_S)? {
            return Ok(());
        }
        let (path, tasks) = (self.path().to_owned(), self.describe_tasks());
        Err(GuestError::CgroupNotFrozen { path, tasks, seconds: FREEZE_GRACE_S })
    }

    /// Lets its tasks go on.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn unfreeze(&self) -> Result<(), GuestError> {
        file::write(&self.path().join("cgroup.freeze"), "0")
    }

    /// Waits until `cgroup.events` says so, for `seconds` of guest time at most; whether it does.
    pub(super) fn wait_for_event(&self, event: &str, seconds: u64) -> Result<bool, GuestError> {
        let path = self.path().join("cgroup.events");
        // The kernel announces a change to whoever has read the file before; so open, look, and only then wait.
        let events = std::fs::File::open(&path).map_err(on_file("open", &path))?;
        let deadline_ns = monotonic_ns() + seconds * 1_000_000_000;
        while !std::io::read_to_string(&events).map_err(on_file("read", &path))?.contains(event) {
            if !wait_for(&events, PollFlags::PRI, deadline_ns)? {
                return Ok(false);
            }
            rustix::fs::seek(&events, rustix::fs::SeekFrom::Start(0))
                .map_err(|errno| on_file("read", &path)(errno.into()))?;
        }
        Ok(true)
    }

    fn check_cpuset(&self, file: &'static str, wanted: &CpuSet, there: &CpuSet) -> Result<(), GuestError> {
        let refused = |why: String| {
            Err(GuestError::Cpuset { cgroup: self.name().to_owned(), file, wanted: wanted.clone(), why })
        };
        if wanted.is_empty() {
            return refused("an empty set would not confine it; name at least one, or clear it".to_owned());
        }
        match wanted.difference(there) {
            absent if absent.is_empty() => Ok(()),
            absent => refused(format!("the machine has {there}, but not {absent}")),
        }
    }

    fn write_cpuset(&self, name: &'static str, wanted: &CpuSet) -> Result<(), GuestError> {
        self.write_knob(name, &wanted.to_string())?;
        // The kernel takes what a level above does not have, and then falls back to what that one has.
        let effective = self.read_set(&format!("{name}.effective"))?;
        if effective.is_empty() || !effective.is_subset(wanted) {
            let why = format!("a level above is confined to {effective}");
            let cgroup = self.name().to_owned();
            return Err(GuestError::Cpuset { cgroup, file: name, wanted: wanted.clone(), why });
        }
        Ok(())
    }

    /// Empties a cpuset. Some kernels, 6.18 among them, refuse that while there are tasks: there it becomes all that the
    /// level above has, which confines nobody either.
    fn clear_cpuset(&self, name: &str) -> Result<(), GuestError> {
        match self.write_knob(name, "\n") {
            Err(GuestError::File { source, .. }) if source.kind() == ErrorKind::StorageFull => {
                let level = self.path().parent().unwrap_or(self.path());
                let above = level.join(format!("{name}.effective"));
                let all = std::fs::read_to_string(&above).map_err(on_file("read", &above))?;
                self.write_knob(name, &all)
            }
            other => other,
        }
    }

    fn write_knob(&self, name: &str, value: &str) -> Result<(), GuestError> {
        let path = self.path().join(name);
        if !path.exists() {
            let controller = name.split('.').next().unwrap_or(name).to_owned();
            let (cgroup, file, value) = (self.name().to_owned(), name.to_owned(), value.to_owned());
            return Err(GuestError::CgroupKnob { cgroup, file, value, controller });
        }
        file::write(&path, value)
    }

    fn read_set(&self, name: &str) -> Result<CpuSet, GuestError> {
        let path = self.path().join(name);
        let text = file::read(&path)?;
        text.parse().map_err(|_| GuestError::Content { path, text, wanted: "a list of numbers" })
    }
}
