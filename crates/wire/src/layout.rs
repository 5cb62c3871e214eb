//! Where everything is in the channel, the memory region that host and guest share.
//!
//! This file has no dependencies: the boot agent, a single file compiled on its own, includes it too. All words are
//! little-endian. The host writes the input half before a clone wakes; the guest writes the rest. To the guest it is
//! persistent memory (an NVDIMM) that no driver has taken, at the physical address that ACPI's NFIT tells.

/// First word of every channel.
pub const MAGIC: u64 = u64::from_le_bytes(*b"ktstrchn");
/// Changes whenever this file changes its meaning.
pub const VERSION: u32 = 2;
/// Size of the region. Fixed when a template boots, because it is the size of a device; it is sparse.
pub const CHANNEL_SIZE: u64 = 256 << 20;

/// Offsets of the header's words.
pub mod word {
    /// `u64`: [`super::MAGIC`], by the host.
    pub const MAGIC: usize = 0;
    /// `u32`: [`super::VERSION`], by the host.
    pub const VERSION: usize = 8;
    /// `u32`: 0 in a template, 1 in a clone that shall run. By the host.
    pub const RUN: usize = 12;
    /// `u64`: the run's seed. By the host.
    pub const SEED: usize = 16;
    /// `u64`: length of the order; 0 in a clone that shall load the payload only. By the host.
    pub const ORDER_LEN: usize = 24;
    /// `u64`: length of the payload archive. By the host.
    pub const PAYLOAD_LEN: usize = 32;
    /// `u32`: one of [`super::stage`]. By the guest.
    pub const STAGE: usize = 64;
    /// `u32`: one of [`super::exit`]: how the test process ended. By the agent.
    pub const EXIT_KIND: usize = 68;
    /// `u32`: exit code or signal of the test process. By the agent.
    pub const EXIT_VALUE: usize = 72;
    /// `u64`: length of the agent's message. By the agent.
    pub const MESSAGE_LEN: usize = 80;
    /// `u64`: length of the facts. By the agent.
    pub const FACTS_LEN: usize = 88;
    /// `u64`: length of the report, written last. By the test process.
    pub const REPORT_LEN: usize = 96;
    /// `u64`: guest time at which the agent woke up in the clone, in nanoseconds. By the agent.
    pub const AWAKE_NS: usize = 104;
    /// `u64`: the time stamp counter just before the stop that makes a template; 0 on machines without one. By whoever
    /// stops the machine.
    pub const STOP_TSC: usize = 120;
    /// `u64`: guest time at which the test function began, in nanoseconds; 0 before. By the test process.
    pub const TEST_BEGAN_NS: usize = 112;
}

/// How far the guest has come.
pub mod stage {
    /// The kernel is booting.
    pub const BOOTING: u32 = 0;
    /// The agent is at its wait point: this stop makes the template.
    pub const WAITING: u32 = 1;
    /// The agent woke up and unpacks the payload.
    pub const AWAKE: u32 = 2;
    /// The test process has been started.
    pub const STARTED: u32 = 3;
    /// The test process has found no order and waits for one: this stop makes the loaded template.
    pub const LOADED: u32 = 4;
    /// The test function has begun.
    pub const TEST_BEGAN: u32 = 5;
    /// The test process ended: this stop ends the run.
    pub const DONE: u32 = 6;
    /// The agent could not go on and left a message: this stop ends the run.
    pub const FAILED: u32 = 7;
}

/// How the test process ended.
pub mod exit {
    /// It exited with the code in `EXIT_VALUE`.
    pub const CODE: u32 = 1;
    /// The signal in `EXIT_VALUE` ended it.
    pub const SIGNAL: u32 = 2;
}

/// A part of the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// Where it begins, from the start of the channel; a multiple of the page size.
    pub offset: u64,
    /// Its size in bytes.
    pub size: u64,
}

/// The header's words.
pub const HEADER: Area = Area { offset: 0, size: 4 << 10 };
/// Why the agent could not go on, as text.
pub const MESSAGE: Area = Area { offset: 4 << 10, size: 4 << 10 };
/// What the agent saw of its machine at the wait point, as text; see `GuestFacts`.
pub const FACTS: Area = Area { offset: 64 << 10, size: 192 << 10 };
/// The order: what to run.
pub const ORDER: Area = Area { offset: 256 << 10, size: 768 << 10 };
/// A log of what the test process wrote to stdout and stderr.
pub const TEST_LOG: Area = Area { offset: 1 << 20, size: 1 << 20 };
/// A log of what the scheduler wrote to stdout and stderr. Large enough for a dump of 1 MiB and a verifier log.
pub const SCHEDULER_LOG: Area = Area { offset: 2 << 20, size: 6 << 20 };
/// A log of the kernel's messages.
pub const KERNEL_LOG: Area = Area { offset: 8 << 20, size: 2 << 20 };
/// The report.
pub const REPORT: Area = Area { offset: 10 << 20, size: 22 << 20 };
/// The payload archive (cpio, `newc`).
pub const PAYLOAD: Area = Area { offset: 32 << 20, size: CHANNEL_SIZE - (32 << 20) };

/// A log area begins with this many bytes: a `u64` that counts all bytes ever written to it. The rest is a ring that
/// holds the last of them.
pub const LOG_HEADER: u64 = 64;

/// File descriptor on which the agent hands the guest's physical memory, with the channel in it, to the test process.
pub const CHANNEL_FD: i32 = 3;
/// File descriptor on which the agent hands over the register that stops the machine.
pub const STOP_FD: i32 = 4;
/// The environment variable that tells the test process that it is in a guest. Its value is the channel's physical
/// address, a decimal number.
pub const GUEST_VARIABLE: &str = "KTSTR_IN_GUEST";
/// Where the payload archive has the test binary.
pub const TEST_BINARY: &str = "/ktstr/test";
