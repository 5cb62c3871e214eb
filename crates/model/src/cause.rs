//! How a run can end, each way with its own words.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The five verdicts, never conflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The scheduler did its job.
    Pass,
    /// The scheduler, or the test's own condition, did wrong.
    Fail,
    /// This host or kernel cannot carry the cell.
    Skip,
    /// The host was too noisy to tell (real-time mode only).
    Inconclusive,
    /// The harness, the kernel or the machine failed.
    Broken,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Skip => "skip",
            Self::Inconclusive => "inconclusive",
            Self::Broken => "broken",
        })
    }
}

/// Why a run ended as it did. Every cause has exactly one verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cause {
    /// Every check held.
    ChecksHeld,
    /// The body failed, as `expect_err` wanted it.
    ExpectedError,
    /// A check was violated.
    CheckViolated,
    /// The body returned an error.
    TestError,
    /// The body panicked.
    TestPanic,
    /// The body passed although `expect_err` wanted a failure.
    UnexpectedPass,
    /// The scheduler was disabled or ended while the test ran.
    SchedulerDied,
    /// The scheduler's program ended before it was enabled.
    SchedulerExited,
    /// The BPF verifier rejected the scheduler.
    SchedulerRejected,
    /// The scheduler's program ran on without being enabled.
    SchedulerNeverEnabled,
    /// The body gave up.
    TestSkipped,
    /// Checks were violated by no more than what the host's other work explains (real-time mode only).
    NoisyHost,
    /// The machine is too large for this host or its QEMU.
    TooLarge,
    /// The run could not be begun: the declaration, the host or the kernel does not allow it.
    NotRun,
    /// The kernel did not reach the agent's wait point.
    BootFailure,
    /// The guest kernel panicked.
    GuestPanic,
    /// The guest kernel reported an oops, a bug or a lockup.
    GuestOops,
    /// The guest kernel killed processes for want of memory.
    OutOfMemory,
    /// The guest did not finish before the host's deadline.
    Hang,
    /// The machine ended by itself.
    MachineDied,
    /// The guest stopped without a report that can be read.
    LostReport,
    /// The guest could not be prepared for the test.
    GuestSetup,
    /// Two deterministic runs of one plan differed.
    NotDeterministic,
}

/// Its word in records.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl Cause {
    /// The verdict that this cause has.
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::ChecksHeld | Self::ExpectedError => Verdict::Pass,
            Self::CheckViolated
            | Self::TestError
            | Self::TestPanic
            | Self::UnexpectedPass
            | Self::SchedulerDied
            | Self::SchedulerExited
            | Self::SchedulerRejected
            | Self::SchedulerNeverEnabled => Verdict::Fail,
            Self::TestSkipped | Self::TooLarge => Verdict::Skip,
            Self::NoisyHost => Verdict::Inconclusive,
            Self::NotRun
            | Self::BootFailure
            | Self::GuestPanic
            | Self::GuestOops
            | Self::OutOfMemory
            | Self::Hang
            | Self::MachineDied
            | Self::LostReport
            | Self::GuestSetup
            | Self::NotDeterministic => Verdict::Broken,
        }
    }
}
