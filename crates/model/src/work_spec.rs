//! What a group of equal workers is told.

use std::borrow::Cow;

use crate::{AffinityIntent, MemPolicy, MpolFlags, SchedPolicy, WorkType};

/// Whether workers are processes or threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CloneMode {
    /// Each worker is a process.
    #[default]
    Fork,
    /// The workers are threads of one process that is made for them.
    Thread,
}

/// What a group of equal workers is told. What is left open comes from the cgroup's definition or from the defaults.
#[derive(Clone, Debug, Default)]
pub struct WorkSpec {
    /// What they do; spin unless said otherwise.
    pub work_type: Option<WorkType>,
    /// How many; `ctx.workers_per_cgroup`, in whole groups, unless said otherwise.
    pub num_workers: Option<usize>,
    /// On which CPUs.
    pub affinity: Option<AffinityIntent>,
    /// Under which policy.
    pub sched_policy: Option<SchedPolicy>,
    /// Their nice value, -20 to 19.
    pub nice: Option<i32>,
    /// Their memory policy.
    pub mem_policy: Option<MemPolicy>,
    /// How the memory policy is meant.
    pub mpol_flags: Option<MpolFlags>,
    /// Their command as the kernel shows it, up to 15 bytes. Unless said otherwise the end of the cgroup's name, a slash
    /// and the worker's number.
    pub comm: Option<Cow<'static, str>>,
    /// Makes them threads of one process with this command.
    pub pcomm: Option<Cow<'static, str>>,
    /// The user that they run as.
    pub uid: Option<u32>,
    /// The group that they run as.
    pub gid: Option<u32>,
    /// Processes or threads; processes unless said otherwise, threads where `pcomm` is set.
    pub clone_mode: Option<CloneMode>,
}

impl WorkSpec {
    /// Workers that do this.
    pub fn of(work_type: WorkType) -> Self {
        Self::default().work_type(work_type)
    }

    /// What they do.
    pub fn work_type(mut self, work_type: WorkType) -> Self {
        self.work_type = Some(work_type);
        self
    }

    /// How many.
    pub fn workers(mut self, count: usize) -> Self {
        self.num_workers = Some(count);
        self
    }

    /// On which CPUs.
    pub fn affinity(mut self, affinity: AffinityIntent) -> Self {
        self.affinity = Some(affinity);
        self
    }

    /// Under which policy.
    pub fn sched_policy(mut self, policy: SchedPolicy) -> Self {
        self.sched_policy = Some(policy);
        self
    }

    /// Their nice value, -20 to 19.
    pub fn nice(mut self, nice: i32) -> Self {
        self.nice = Some(nice);
        self
    }

    /// Their memory policy.
    pub fn mem_policy(mut self, policy: MemPolicy) -> Self {
        self.mem_policy = Some(policy);
        self
    }

    /// How the memory policy is meant.
    pub fn mpol_flags(mut self, flags: MpolFlags) -> Self {
        self.mpol_flags = Some(flags);
        self
    }

    /// Their command as the kernel shows it.
    pub fn comm(mut self, comm: impl Into<Cow<'static, str>>) -> Self {
        self.comm = Some(comm.into());
        self
    }

    /// Makes them threads of one process with this command.
    pub fn pcomm(mut self, pcomm: impl Into<Cow<'static, str>>) -> Self {
        self.pcomm = Some(pcomm.into());
        self
    }

    /// The user that they run as.
    pub fn uid(mut self, uid: u32) -> Self {
        self.uid = Some(uid);
        self
    }

    /// The group that they run as.
    pub fn gid(mut self, gid: u32) -> Self {
        self.gid = Some(gid);
        self
    }

    /// Processes or threads.
    pub fn clone_mode(mut self, mode: CloneMode) -> Self {
        self.clone_mode = Some(mode);
        self
    }

    /// This, with what it leaves open taken from `defaults`.
    pub fn or(self, defaults: &Self) -> Self {
        Self {
            work_type: self.work_type.or_else(|| defaults.work_type.clone()),
            num_workers: self.num_workers.or(defaults.num_workers),
            affinity: self.affinity.or_else(|| defaults.affinity.clone()),
            sched_policy: self.sched_policy.or(defaults.sched_policy),
            nice: self.nice.or(defaults.nice),
            mem_policy: self.mem_policy.or_else(|| defaults.mem_policy.clone()),
            mpol_flags: self.mpol_flags.or(defaults.mpol_flags),
            comm: self.comm.or_else(|| defaults.comm.clone()),
            pcomm: self.pcomm.or_else(|| defaults.pcomm.clone()),
            uid: self.uid.or(defaults.uid),
            gid: self.gid.or(defaults.gid),
            clone_mode: self.clone_mode.or(defaults.clone_mode),
        }
    }

    /// This with nothing left open; `usual_workers` is the number of workers of a cgroup that says none.
    pub fn resolve(self, usual_workers: usize) -> WorkloadConfig {
        let work_type = self.work_type.unwrap_or_default();
        let threads = if self.pcomm.is_some() { CloneMode::Thread } else { CloneMode::Fork };
        WorkloadConfig {
            num_workers: self.num_workers.unwrap_or_else(|| work_type.default_workers(usual_workers)),
            work_type,
            affinity: self.affinity.unwrap_or_default(),
            sched_policy: self.sched_policy.unwrap_or_default(),
            nice: self.nice,
            mem_policy: self.mem_policy.unwrap_or_default(),
            mpol_flags: self.mpol_flags.unwrap_or_default(),
            comm: self.comm,
            pcomm: self.pcomm,
            uid: self.uid,
            gid: self.gid,
            clone_mode: self.clone_mode.unwrap_or(threads),
        }
    }
}

/// A [`WorkSpec`] with nothing left open: what workers are made from.
#[derive(Clone, Debug)]
pub struct WorkloadConfig {
    /// How many workers, in whole groups of the work type.
    pub num_workers: usize,
    /// What they do.
    pub work_type: WorkType,
    /// On which CPUs.
    pub affinity: AffinityIntent,
    /// Under which policy.
    pub sched_policy: SchedPolicy,
    /// Their nice value, -20 to 19; inherited from the test process, where it is 0, unless said otherwise.
    pub nice: Option<i32>,
    /// Their memory policy.
    pub mem_policy: MemPolicy,
    /// How the memory policy is meant.
    pub mpol_flags: MpolFlags,
    /// Their command as the kernel shows it.
    pub comm: Option<Cow<'static, str>>,
    /// The command of the process that they are threads of.
    pub pcomm: Option<Cow<'static, str>>,
    /// The user that they run as.
    pub uid: Option<u32>,
    /// The group that they run as.
    pub gid: Option<u32>,
    /// Processes or threads.
    pub clone_mode: CloneMode,
}

impl Default for WorkloadConfig {
    /// One spinning worker.
    fn default() -> Self {
        WorkSpec::default().workers(1).resolve(1)
    }
}

impl WorkloadConfig {
    /// Workers that do this, with the defaults for all else.
    pub fn of(work_type: WorkType, num_workers: usize) -> Self {
        WorkSpec::of(work_type).workers(num_workers).resolve(num_workers)
    }

    /// How many tasks the kernel counts: the workers, and the process whose threads they are.
    pub fn tasks(&self) -> u64 {
        let process = u64::from(self.clone_mode == CloneMode::Thread);
        process.saturating_add(self.num_workers as u64)
    }
}
