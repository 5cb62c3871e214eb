//! What a scenario did, and when.

use serde::{Deserialize, Serialize};

/// One thing that a scenario did to its cgroups, workers or CPUs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stimulus {
    /// When it was begun, in nanoseconds of the guest's monotonic clock, as in [`WorkerEvent`](crate::WorkerEvent).
    pub began_ns: u64,
    /// When it was done.
    pub ended_ns: u64,
    /// Where it stands in the scenario, such as `step 2, op 1`.
    pub place: String,
    /// What it was, such as `SetCpuset cell_0 to Llc(1)`.
    pub what: String,
}
