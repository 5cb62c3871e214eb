//! Canned scenarios: a workload, a time, a verdict. One file each, found by its name.

mod steady;

pub use steady::steady;
