//! What external programs did.

use serde::{Deserialize, Serialize};

use super::Polarity;
use crate::ExitHow;

/// How an external program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PayloadEnd {
    /// On its own.
    Ended(ExitHow),
    /// It was still running, and was told to end: by the test, or because the scenario was over.
    Stopped(ExitHow),
    /// It was killed and had not ended a minute later.
    Unkillable,
}

/// What one run of an external program did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PayloadReport {
    /// The payload's name.
    pub payload: String,
    /// Whether it is the program that the test is about (`payload = ..`).
    pub primary: bool,
    /// The cgroup that it was started in; empty outside of all cgroups of the test.
    pub cgroup: String,
    /// All its arguments.
    pub args: Vec<String>,
    /// Its process id in the guest.
    pub pid: u32,
    /// When it was started, in nanoseconds of the guest's monotonic clock.
    pub began_ns: u64,
    /// When it had ended.
    pub ended_ns: u64,
    /// CPU time of it and of the children that it waited for, in nanoseconds.
    pub cpu_ns: u64,
    /// How it ended.
    pub end: PayloadEnd,
    /// The last lines that it wrote.
    pub last_lines: Vec<String>,
}

/// A figure that an external program reported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricValue {
    /// The figure's name.
    pub name: String,
    /// Its value: a finite number.
    pub value: f64,
    /// Its unit; empty when it has none.
    pub unit: String,
    /// Which way it is better.
    pub polarity: Polarity,
    /// The payload's name.
    pub payload: String,
    /// The cgroup that the program was started in; empty outside of all cgroups of the test.
    pub cgroup: String,
}
