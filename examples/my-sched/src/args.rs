//! The command line.

use clap::Parser;

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
