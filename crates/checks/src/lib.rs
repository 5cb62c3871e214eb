//! Reports in, violated conditions out. Nothing here does I/O.
//!
//! Each check has a file of its own, which says what it measures and what it cannot tell. [`judge_workers`] runs all of
//! them; [`cgroup_table`] prints the figures that they looked at. [`read_metrics`] finds figures in the output of external
//! programs, and [`judge_payload`] judges those and how the program ended.

mod gap;
mod judge;
mod lost;
mod payload;
mod precision;
mod spread;
mod starvation;
mod statistics;
#[cfg(test)]
mod testing;
mod words;

pub use judge::judge_workers;
pub use payload::{Figures, PayloadError, ProgramOutput, check_payload, judge_payload, read_metrics};
pub use statistics::cgroup_table;
