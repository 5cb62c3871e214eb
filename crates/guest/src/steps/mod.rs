//! Scenarios as data: steps with what is set up for them, what is done, and how long they last.
//!
//! A scenario becomes a [`plan`] first, which is [checked](check) from the first to the last operation before anything is
//! made. Then it is played on a [`scene`]: the cgroups, workers and CPUs as they are at the time.

mod check;
mod execute;
mod plan;
mod scene;
mod step;

pub use execute::{execute_defs, execute_scenario, execute_scenario_with, execute_steps, execute_steps_with};
pub use step::{Setup, Step};
