//! What a host-side step gets to see of a run.

use crate::{AssertDetail, Cause, Mode, RunReport, Topology, Verdict};

/// A run whose machine has ended, as the function of `post_vm` is given it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunResult {
    /// The test's path within its crate.
    pub test: String,
    /// The scheduler's name.
    pub scheduler: String,
    /// The machine's topology.
    pub topology: Topology,
    /// The kernel's release (`uname -r`).
    pub kernel: String,
    /// What the guest's clock followed.
    pub mode: Mode,
    /// What all random choices came from.
    pub seed: u64,
    /// Why the run ended as it did, so far.
    pub cause: Cause,
    /// The same in one line.
    pub headline: String,
    /// Violated checks.
    pub details: Vec<AssertDetail>,
    /// What the guest reported; `None` when it left nothing that can be read, as when its kernel panicked.
    pub report: Option<RunReport>,
    /// The serial console.
    pub console: String,
    /// The kernel's log.
    pub kernel_log: String,
    /// What the scheduler wrote.
    pub scheduler_log: String,
    /// What the test wrote.
    pub test_log: String,
}

impl RunResult {
    /// The verdict so far.
    pub fn verdict(&self) -> Verdict {
        self.cause.verdict()
    }
}
