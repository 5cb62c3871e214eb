//! What is done to a machine while a test runs, beside what the test does: plain data, so that a run can be repeated.

use serde::{Deserialize, Serialize};

/// A CPU that does nothing else for a while, as when an interrupt or the host takes it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stall {
    /// The CPU.
    pub cpu: u32,
    /// When it begins, in nanoseconds after the test's body began.
    pub at_ns: u64,
    /// How long it takes, in nanoseconds.
    pub for_ns: u64,
}

/// A worker that gets another nice value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NiceChange {
    /// The worker's number in the run: the order in which workers are made.
    pub worker: u32,
    /// When, in nanoseconds after the test's body began; a worker that begins later has it from its beginning.
    pub at_ns: u64,
    /// The value, -20 to 19.
    pub nice: i8,
}

/// A CPU that is taken off line and brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Outage {
    /// The CPU; the kernel refuses to take the first one off line.
    pub cpu: u32,
    /// When it is taken, in nanoseconds after the test's body began.
    pub at_ns: u64,
    /// How long it stays away at least, in nanoseconds.
    pub for_ns: u64,
}

/// All that is done to the machine during one run. By default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Perturbation {
    /// How much later than otherwise the test's body begins, in nanoseconds.
    pub start_offset_ns: u64,
    /// Stalls, in any order.
    pub stalls: Vec<Stall>,
    /// Changes of nice values, in any order.
    pub nice_changes: Vec<NiceChange>,
    /// Outages, in any order. One begins when those before it have ended.
    pub outages: Vec<Outage>,
}

impl Perturbation {
    /// Whether nothing is done.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_from_before_there_were_perturbations_hold_none() {
        let read: Perturbation = serde_json::from_str("{}").unwrap();
        assert!(read.is_none());
        let one = Perturbation { start_offset_ns: 1, ..Perturbation::default() };
        assert!(!one.is_none());
    }
}
