//! Scenarios as data: steps with what is set up for them, what is done, and how long they last.

mod step;

pub use step::{Setup, Step};
