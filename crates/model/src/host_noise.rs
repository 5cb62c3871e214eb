//! What else a host was busy with while a machine ran.

use serde::{Deserialize, Serialize};

/// A process that used CPU time while a machine ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusyProcess {
    /// Its process id on the host.
    pub pid: u32,
    /// Its command, as `/proc/PID/comm` has it.
    pub comm: String,
    /// CPU time that it used meanwhile, in nanoseconds; to the nearest 10 ms.
    pub cpu_ns: u64,
}

/// What the host kept from a machine while it ran: time in which a virtual CPU wanted to run and did not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostNoise {
    /// How long was measured, in nanoseconds of wall time.
    pub wall_ns: u64,
    /// CPU time of all the machine's threads, in nanoseconds.
    pub cpu_ns: u64,
    /// The longest time that a thread which runs virtual CPUs was runnable and not running, in nanoseconds, all its waits
    /// together (run delay of `/proc/PID/task/TID/schedstat`).
    pub run_delay_ns: u64,
    /// Time that the host's own hypervisor took from the CPU that lost most, in nanoseconds, to the nearest 10 ms; 0 on
    /// hardware.
    pub steal_ns: u64,
    /// The host's load average over the last minute, at the end; `None` where it cannot be read.
    pub load: Option<f64>,
    /// The process that used most CPU time meanwhile, the machine aside; looked for in real-time mode only.
    pub noisiest: Option<BusyProcess>,
}

impl HostNoise {
    /// The longest that the host can have held one virtual CPU up, in nanoseconds.
    pub fn held_up_ns(&self) -> u64 {
        self.run_delay_ns.saturating_add(self.steal_ns)
    }
}
