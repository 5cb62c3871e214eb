//! What comes back from a guest.

use serde::{Deserialize, Serialize};

use crate::{AssertResult, BpfObjects, MetricValue, PayloadReport, Stimulus, WorkerReport};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ExitHow {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl std::fmt::Display for ExitHow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal(signal) => write!(f, "was killed by signal {signal}"),
        }
    }
}

/// What became of the scheduler.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SchedulerReport {
    /// Its process id in the guest, for a program.
    pub pid: Option<u32>,
    /// Guest time from starting it to its being enabled, in nanoseconds; `None` when it never was.
    pub enabled_after_ns: Option<u64>,
    /// The name that the kernel knows it by (`/sys/kernel/sched_ext/root/ops`).
    pub ops: Option<String>,
    /// How its process ended.
    pub exit: Option<ExitHow>,
    /// When it ended or was disabled without being asked to, in nanoseconds of the guest's monotonic clock.
    pub died_at_ns: Option<u64>,
    /// Where in a scenario that was, such as `during step 2`; `None` outside of scenarios.
    #[serde(default)]
    pub died: Option<String>,
    /// It did not heed SIGINT and was killed.
    pub ignored_sigint: bool,
    /// What it loaded, when that was asked for and it was enabled.
    #[serde(default)]
    pub bpf: Option<BpfObjects>,
}

/// One frame of a backtrace, as an address in the test binary's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestFrame {
    /// The address relative to where the binary was loaded.
    pub relative_address: u64,
}

/// Why a run ended without a result from the test body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum GuestFailure {
    /// The guest could not be prepared: a mount, a sysctl, a cgroup.
    Setup(String),
    /// The scheduler's program could not be run or ended before it was enabled.
    SchedulerExited(ExitHow),
    /// The scheduler's program ran on but the kernel never enabled a scheduler; the state it was in.
    SchedulerNeverEnabled(String),
    /// The kernel has no sched_ext.
    NoSchedExt,
    /// The body returned an error.
    TestError(String),
    /// The body panicked.
    TestPanic {
        /// The panic's message.
        message: String,
        /// Source file, line and column.
        location: String,
        /// The stack, innermost first.
        frames: Vec<GuestFrame>,
    },
}

/// How long it took from the body's end until everything had stopped, part by part, in nanoseconds of guest time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleanup {
    /// Removing the cgroups that held the test's own.
    pub cgroups_ns: u64,
    /// Stopping the scheduler.
    pub scheduler_ns: u64,
    /// Reading what was left of the kernel's log.
    pub kernel_log_ns: u64,
}

impl Cleanup {
    /// All of it.
    pub fn total_ns(&self) -> u64 {
        self.cgroups_ns.saturating_add(self.scheduler_ns).saturating_add(self.kernel_log_ns)
    }
}

/// All that a guest reports of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// What the body returned, or why it returned nothing.
    pub result: Result<AssertResult, GuestFailure>,
    /// The workers in the order in which they were made.
    pub workers: Vec<WorkerReport>,
    /// What the scenario did, in order.
    pub stimuli: Vec<Stimulus>,
    /// The external programs in the order in which they ended.
    #[serde(default)]
    pub payloads: Vec<PayloadReport>,
    /// The figures that they reported.
    #[serde(default)]
    pub metrics: Vec<MetricValue>,
    /// The scheduler, if one was started.
    pub scheduler: Option<SchedulerReport>,
    /// Lines of the kernel's log that concern sched_ext.
    pub sched_ext_log: Vec<String>,
    /// How long it took from the body's end until everything had stopped.
    #[serde(default)]
    pub cleanup: Cleanup,
    /// Guest time from the first to the last line of the test process, in nanoseconds.
    pub guest_ns: u64,
    /// The digest of all the rest; see [`computed_digest`](Self::computed_digest).
    pub digest: crate::Digest,
}

impl RunReport {
    /// A report of `result` and of nothing else.
    pub fn of_result(result: Result<AssertResult, GuestFailure>) -> Self {
        let report = Self {
            result,
            workers: Vec::new(),
            stimuli: Vec::new(),
            payloads: Vec::new(),
            metrics: Vec::new(),
            scheduler: None,
            sched_ext_log: Vec::new(),
            cleanup: Cleanup::default(),
            guest_ns: 0,
            digest: crate::Digest::default(),
        };
        report.with_digest()
    }

    /// The digest of what it holds, to be compared with the one that it says.
    pub fn computed_digest(&self) -> crate::Digest {
        crate::digest::of_report(self)
    }

    /// This report with the digest of what it holds.
    #[must_use]
    pub fn with_digest(self) -> Self {
        Self { digest: self.computed_digest(), ..self }
    }
}
