//! What a scenario does to its cgroups, workers and CPUs.

use std::borrow::Cow;

use crate::{AffinityIntent, CpusetSpec, Payload, WorkSpec};

mod words;

/// A name of a cgroup or a payload.
pub type Name = Cow<'static, str>;

/// One thing that a scenario does to its cgroups, workers and CPUs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Op {
    /// Makes a cgroup without workers.
    AddCgroup {
        /// Its name.
        name: Name,
    },
    /// Stops a cgroup's workers and removes it.
    RemoveCgroup {
        /// Which.
        cgroup: Name,
    },
    /// Confines a cgroup to CPUs.
    SetCpuset {
        /// Which.
        cgroup: Name,
        /// The CPUs.
        cpus: CpusetSpec,
    },
    /// Lets a cgroup use all CPUs again.
    ClearCpuset {
        /// Which.
        cgroup: Name,
    },
    /// Exchanges the cpusets of two cgroups.
    SwapCpusets {
        /// One.
        a: Name,
        /// The other.
        b: Name,
    },
    /// Makes workers in a cgroup.
    Spawn {
        /// Which.
        cgroup: Name,
        /// The workers.
        work: WorkSpec,
    },
    /// Stops a cgroup's workers; the cgroup stays.
    StopCgroup {
        /// Which.
        cgroup: Name,
    },
    /// Changes the CPUs that a cgroup's workers ask for.
    SetAffinity {
        /// Which.
        cgroup: Name,
        /// The CPUs.
        affinity: AffinityIntent,
    },
    /// Makes workers outside of all cgroups of the test.
    SpawnHost {
        /// The workers.
        work: WorkSpec,
    },
    /// Moves all tasks of one cgroup to another.
    MoveAllTasks {
        /// From which.
        from: Name,
        /// To which.
        to: Name,
    },
    /// Starts an external program, which runs beside what follows. It is stopped at the end of the step.
    RunPayload {
        /// The program.
        payload: &'static Payload,
        /// Arguments after its own.
        args: Vec<String>,
        /// In which cgroup; outside of all when `None`.
        cgroup: Option<Name>,
    },
    /// Waits until an external program has ended, or the scheduler under test has died.
    WaitPayload {
        /// Its name.
        name: Name,
        /// In which cgroup; in any when `None`.
        cgroup: Option<Name>,
    },
    /// Ends an external program: it gets SIGTERM and, a second later, SIGKILL with all processes of its session.
    KillPayload {
        /// Its name.
        name: Name,
        /// In which cgroup; in any when `None`.
        cgroup: Option<Name>,
    },
    /// Stops a cgroup's tasks where they are.
    FreezeCgroup {
        /// Which.
        cgroup: Name,
    },
    /// Lets them go on.
    UnfreezeCgroup {
        /// Which.
        cgroup: Name,
    },
    /// Takes a snapshot of the scheduler's state. Needs host-side introspection.
    Snapshot {
        /// A name for it.
        name: Name,
    },
    /// Takes a snapshot whenever this symbol is written to. Needs host-side introspection.
    WatchSnapshot {
        /// The symbol.
        symbol: Name,
    },
    /// Takes a CPU off line.
    CpuOffline {
        /// Its number.
        cpu: u32,
    },
    /// Brings a CPU back on line.
    CpuOnline {
        /// Its number.
        cpu: u32,
    },
}

impl Op {
    /// [`AddCgroup`](Self::AddCgroup).
    pub fn add_cgroup(name: impl Into<Name>) -> Self {
        Self::AddCgroup { name: name.into() }
    }

    /// [`RemoveCgroup`](Self::RemoveCgroup).
    pub fn remove_cgroup(cgroup: impl Into<Name>) -> Self {
        Self::RemoveCgroup { cgroup: cgroup.into() }
    }

    /// [`SetCpuset`](Self::SetCpuset).
    pub fn set_cpuset(cgroup: impl Into<Name>, cpus: CpusetSpec) -> Self {
        Self::SetCpuset { cgroup: cgroup.into(), cpus }
    }

    /// [`ClearCpuset`](Self::ClearCpuset).
    pub fn clear_cpuset(cgroup: impl Into<Name>) -> Self {
        Self::ClearCpuset { cgroup: cgroup.into() }
    }

    /// [`SwapCpusets`](Self::SwapCpusets).
    pub fn swap_cpusets(a: impl Into<Name>, b: impl Into<Name>) -> Self {
        Self::SwapCpusets { a: a.into(), b: b.into() }
    }

    /// [`Spawn`](Self::Spawn).
    pub fn spawn(cgroup: impl Into<Name>, work: WorkSpec) -> Self {
        Self::Spawn { cgroup: cgroup.into(), work }
    }

    /// [`StopCgroup`](Self::StopCgroup).
    pub fn stop_cgroup(cgroup: impl Into<Name>) -> Self {
        Self::StopCgroup { cgroup: cgroup.into() }
    }

    /// [`SetAffinity`](Self::SetAffinity).
    pub fn set_affinity(cgroup: impl Into<Name>, affinity: AffinityIntent) -> Self {
        Self::SetAffinity { cgroup: cgroup.into(), affinity }
    }

    /// [`SpawnHost`](Self::SpawnHost).
    pub fn spawn_host(work: WorkSpec) -> Self {
        Self::SpawnHost { work }
    }

    /// [`MoveAllTasks`](Self::MoveAllTasks).
    pub fn move_all_tasks(from: impl Into<Name>, to: impl Into<Name>) -> Self {
        Self::MoveAllTasks { from: from.into(), to: to.into() }
    }

    /// [`FreezeCgroup`](Self::FreezeCgroup).
    pub fn freeze_cgroup(cgroup: impl Into<Name>) -> Self {
        Self::FreezeCgroup { cgroup: cgroup.into() }
    }

    /// [`UnfreezeCgroup`](Self::UnfreezeCgroup).
    pub fn unfreeze_cgroup(cgroup: impl Into<Name>) -> Self {
        Self::UnfreezeCgroup { cgroup: cgroup.into() }
    }

    /// [`Snapshot`](Self::Snapshot).
    pub fn snapshot(name: impl Into<Name>) -> Self {
        Self::Snapshot { name: name.into() }
    }

    /// [`WatchSnapshot`](Self::WatchSnapshot).
    pub fn watch_snapshot(symbol: impl Into<Name>) -> Self {
        Self::WatchSnapshot { symbol: symbol.into() }
    }

    /// [`RunPayload`](Self::RunPayload) outside of all cgroups.
    pub fn run_payload(payload: &'static Payload, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::RunPayload { payload, args: args.into_iter().map(Into::into).collect(), cgroup: None }
    }

    /// [`RunPayload`](Self::RunPayload) in a cgroup.
    pub fn run_payload_in_cgroup(
        payload: &'static Payload,
        args: impl IntoIterator<Item = impl Into<String>>,
        cgroup: impl Into<Name>,
    ) -> Self {
        let args = args.into_iter().map(Into::into).collect();
        Self::RunPayload { payload, args, cgroup: Some(cgroup.into()) }
    }

    /// [`WaitPayload`](Self::WaitPayload) in any cgroup.
    pub fn wait_payload(name: impl Into<Name>) -> Self {
        Self::WaitPayload { name: name.into(), cgroup: None }
    }

    /// [`WaitPayload`](Self::WaitPayload) in a cgroup.
    pub fn wait_payload_in_cgroup(name: impl Into<Name>, cgroup: impl Into<Name>) -> Self {
        Self::WaitPayload { name: name.into(), cgroup: Some(cgroup.into()) }
    }

    /// [`KillPayload`](Self::KillPayload) in a cgroup.
    pub fn kill_payload_in_cgroup(name: impl Into<Name>, cgroup: impl Into<Name>) -> Self {
        Self::KillPayload { name: name.into(), cgroup: Some(cgroup.into()) }
    }

    /// [`KillPayload`](Self::KillPayload) in any cgroup.
    pub fn kill_payload(name: impl Into<Name>) -> Self {
        Self::KillPayload { name: name.into(), cgroup: None }
    }

    /// [`CpuOffline`](Self::CpuOffline).
    pub const fn cpu_offline(cpu: u32) -> Self {
        Self::CpuOffline { cpu }
    }

    /// [`CpuOnline`](Self::CpuOnline).
    pub const fn cpu_online(cpu: u32) -> Self {
        Self::CpuOnline { cpu }
    }
}
