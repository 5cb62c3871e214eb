//! Reports in, violated conditions out. Nothing here does I/O.
//!
//! Each check has a file of its own, which says what it measures and what it cannot tell. [`judge_workers`] runs all of
//! them; [`cgroup_table`] prints the figures that they looked at.

mod gap;
mod judge;
mod lost;
mod precision;
mod spread;
mod starvation;
mod statistics;
#[cfg(test)]
mod testing;
mod words;

pub use judge::judge_workers;
pub use statistics::cgroup_table;
