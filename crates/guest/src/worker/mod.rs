//! Workers: processes that do a known kind of work and take notes of when they got to do it.
//!
//! A [`WorkloadHandle`] forks a team of them. They wait at a gate until they are in their cgroup, and stop on request.
//! While they work they write to memory that they share with the test process: no system call, no allocation, no lock
//! stands between a worker and the scheduler under test.

mod handle;
mod progress;
mod random;
mod shared;
mod spin_wait;
mod team;

pub use handle::WorkloadHandle;
