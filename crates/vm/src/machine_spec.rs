//! What a machine is made of.

use std::path::PathBuf;

use ktstr_model::{Mode, Topology};
use serde::{Deserialize, Serialize};

/// What a machine is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Running a test: nothing gets in or out while it runs.
    #[default]
    Test,
    /// Somebody at a shell. It has a line to the host, and without KVM its clock keeps up with the host's, so that a
    /// `sleep 10` lasts 10 s; no run of it is like another.
    Shell,
}

/// A machine that a template is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineSpec {
    /// The kernel's image.
    pub kernel: PathBuf,
    /// SHA-256 of the image, in hexadecimal.
    pub kernel_sha256: String,
    /// Kernel arguments beside our own.
    pub kargs: Vec<String>,
    /// CPUs and NUMA nodes.
    pub topology: Topology,
    /// Memory in MiB, shared out evenly over the NUMA nodes.
    pub memory_mb: u32,
    /// What its clock follows.
    pub mode: Mode,
    /// What it is for.
    pub purpose: Purpose,
    /// Size of its disk in MiB; 0 for none. Real-time mode only: requests are completed outside of the guest's clock.
    pub disk_mb: u32,
}

impl MachineSpec {
    /// Whether runs of it are equal to each other.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.mode == Mode::Deterministic && self.purpose == Purpose::Test
    }

    /// What its clock follows, in a word.
    pub fn clock(&self) -> &'static str {
        match (self.mode, self.purpose) {
            (Mode::RealTime, _) => "real-time",
            (Mode::Deterministic, Purpose::Test) => "deterministic",
            (Mode::Deterministic, Purpose::Shell) => "host-paced",
        }
    }

    /// Memory of each NUMA node in MiB, rounded up so that all are equal.
    pub fn memory_per_node_mb(&self) -> u32 {
        self.memory_mb.div_ceil(self.topology.memory_nodes())
    }

    /// Our own kernel arguments and the machine's.
    pub fn kernel_command_line(&self) -> String {
        let mut words = vec![
            "console=ttyS0",
            // Errors only: every line costs a slow serial write; the whole log is read at the end.
            "quiet",
            // A panic resets the machine at once, and a reset stops it.
            "panic=-1",
            // Before that it writes all its messages to the console, where we still find them (PANIC_PRINT_ALL_PRINTK_MSG).
            "panic_print=0x20",
            "mitigations=off",
            // What security modules and zeroed allocations cost would be TCG's to translate and run.
            "lsm=bpf",
            "init_on_alloc=0",
            // Attaching and detaching BPF programs waits for RCU again and again.
            "rcupdate.rcu_expedited=1",
            // Debian's kernels test their ciphers in threads that would still run in every clone.
            "cryptomgr.notests",
            // DAMON samples the memory every few milliseconds, in a thread that would compete with the test.
            "damon_stat.enabled=N",
            // The channel is persistent memory; a driver would claim it.
            "initcall_blacklist=nfit_init",
        ];
        if self.mode == Mode::Deterministic {
            // Virtual time is the same on every vCPU, which the kernel cannot find out by measuring.
            words.push("tsc=reliable");
            words.push("no_timer_check");
            if self.topology.cpus() >= 32 {
                // Calibrating the delay loop fails on so many vCPUs that take turns.
                words.push("lpj=4000000");
            }
        }
        let own = words.into_iter().map(str::to_owned);
        own.chain(self.kargs.iter().cloned()).collect::<Vec<_>>().join(" ")
    }
}
