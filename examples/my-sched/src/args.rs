//! The command line.

use clap::Parser;

/// The kernel's own size of a dump, when a scheduler asks for none.
const KERNEL_DUMP_LEN: u32 = 32 * 1024;

/// A simple sched_ext scheduler: idle CPUs first, then one first-in, first-out queue.
///
/// Runs until it gets SIGINT or SIGTERM (exit 0) or the kernel ejects it (exit 2, with the kernel's reason and
/// dump on stderr). Exit 1: it could not be loaded.
#[derive(Parser)]
#[command(name = "scx_my_sched", version)]
pub struct Args {
    /// Size of the dump that the kernel makes when it ejects the scheduler, in bytes; 0 for the kernel's default.
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    pub exit_dump_len: u32,
}

impl Args {
    /// Bytes to reserve for a dump, never zero.
    pub fn dump_buffer_len(&self) -> u32 {
        if self.exit_dump_len == 0 { KERNEL_DUMP_LEN } else { self.exit_dump_len }
    }
}
