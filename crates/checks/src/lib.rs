//! Reports in, violated conditions out. Nothing here does I/O.
//!
//! Each check has a file of its own, which says what it measures and what it cannot tell. [`judge_workers`] runs all of
//! them; [`cgroup_table`] prints the figures that they looked at; [`explained_by_noise`] says which violations a busy host
//! explains. [`Distribution`] has percentiles and variation for whoever tells them elsewhere. [`read_metrics`] finds figures in the output of external programs, and [`judge_payload`] judges those and how
//! the program ended.

mod cross_node_migration;
mod distribution;
mod gap;
mod isolation;
mod iteration_rate;
mod judge;
mod lost;
mod migration_ratio;
mod noise;
mod page_locality;
mod payload;
mod precision;
mod slow_tier;
mod spread;
mod starvation;
mod statistics;
#[cfg(test)]
mod testing;
mod throughput;
mod wake_latency;
mod wake_latency_cv;
mod words;
mod work_rate;

pub use distribution::Distribution;
pub use judge::{AssertCgroup, judge_workers};
pub use noise::explained_by_noise;
pub use payload::{Figures, PayloadError, ProgramOutput, check_payload, judge_payload, read_metrics};
pub use statistics::cgroup_table;
