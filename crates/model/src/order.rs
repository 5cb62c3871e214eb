//! What the harness sends to a guest.

use serde::{Deserialize, Serialize};

use crate::{Assert, Mode, Perturbation, Topology};

/// How the guest brings the scheduler up.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SchedulerLaunch {
    /// Start this program and wait until the kernel says that a scheduler is enabled.
    Program {
        /// The program's path in the guest.
        path: String,
        /// Its arguments in order.
        args: Vec<String>,
    },
    /// Switch it in the kernel with lines of the form `echo VALUE > FILE`.
    Builtin {
        /// Lines that switch it on.
        enable: Vec<String>,
        /// Lines that switch it off.
        disable: Vec<String>,
    },
}

/// The scheduler of a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SchedulerOrder {
    /// Its name in results.
    pub name: String,
    /// How it is brought up.
    pub launch: SchedulerLaunch,
    /// Guest time within which it must be enabled, in nanoseconds.
    pub enable_timeout_ns: u64,
    /// Read what the kernel says of its BPF programs once it is enabled.
    #[serde(default)]
    pub read_bpf: bool,
}

/// An external program of a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PayloadOrder {
    /// The payload's name.
    pub name: String,
    /// The program as the payload names it.
    pub program: String,
    /// The program's path, where the test's body runs; `None` when it was not found: so a rehearsal can tell what needs it.
    pub path: Option<String>,
    /// Whether it is the program that the test is about.
    pub primary: bool,
}

/// One run as the guest gets it. It holds nothing of the host, so that equal orders give equal runs. Records keep it, so what
/// is added has a default for older ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunOrder {
    /// The test's path within its crate.
    pub test: String,
    /// What the guest's CPUs look like.
    pub topology: Topology,
    /// What the guest's clock follows.
    pub mode: Mode,
    /// Longest time that a busy vCPU waits for its turn, in nanoseconds, as the template measured it (`turn_ns` of its
    /// facts). Checks look at it in deterministic mode only.
    pub turn_ns: u64,
    /// Every random choice of the run comes from this.
    pub seed: u64,
    /// How long the workload runs, in nanoseconds of the guest's clock.
    pub duration_ns: u64,
    /// How long a scenario waits between letting its workers go and measuring, in nanoseconds.
    pub settle_ns: u64,
    /// Workers of each cgroup of a canned scenario.
    pub workers_per_cgroup: u32,
    /// The scheduler, if it is not the kernel's own.
    pub scheduler: Option<SchedulerOrder>,
    /// The external programs that were brought along.
    #[serde(default)]
    pub payloads: Vec<PayloadOrder>,
    /// The name of the work type that takes the place of swappable ones.
    pub work_type: Option<String>,
    /// Kernel parameters in the order in which they are set.
    pub sysctls: Vec<(String, String)>,
    /// The cgroup that holds the test's cgroups, relative to the cgroup root.
    pub cgroup_parent: Option<String>,
    /// Checks and thresholds, all layers merged.
    pub assert: Assert,
    /// What is done to the machine meanwhile.
    #[serde(default)]
    pub perturbation: Perturbation,
    /// Whether the machine has a disk for the files of workers.
    #[serde(default)]
    pub has_disk: bool,
}

impl RunOrder {
    /// A run that is only so much: the kernel's own scheduler, one worker in each cgroup, nothing else brought along or
    /// asked for. It has seed 0 and no time.
    pub fn plain(test: impl Into<String>, topology: Topology, mode: Mode) -> Self {
        Self {
            test: test.into(),
            topology,
            mode,
            turn_ns: 0,
            seed: 0,
            duration_ns: 0,
            settle_ns: 0,
            workers_per_cgroup: 1,
            scheduler: None,
            payloads: Vec::new(),
            work_type: None,
            sysctls: Vec::new(),
            cgroup_parent: None,
            assert: Assert::NO_OVERRIDES,
            perturbation: Perturbation::default(),
            has_disk: false,
        }
    }
}
