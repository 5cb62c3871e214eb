//! Workers: processes or threads that do a known kind of work and take notes of when they got to do it.
//!
//! A [`WorkloadHandle`] forks a team of them. They wait at a gate until they are in their cgroup, prepare themselves
//! (affinity, policies, memory policy, user), wait again until they are let go, and stop on request. While they work they
//! write to memory that they share with the test process: no system call, no allocation, no lock stands between a worker
//! and the scheduler under test.
//!
//! What a worker does is a [`Work`](work::Work): one file of [`kinds`] for each work type.

mod affinity;
mod allowance;
mod bench;
mod futex;
mod group;
mod handle;
mod kinds;
mod lock;
mod mem_policy;
mod member;
mod numa_pages;
mod pace;
mod parts;
mod passes;
mod places;
pub(crate) mod plausible;
mod private_memory;
mod progress;
mod reservoir;
mod round;
mod settings;
mod shared;
mod spawn;
mod team;
mod turn;
mod work;
mod work_file;

pub use handle::WorkloadHandle;
pub(crate) use settings::{set_affinity, set_policy};
