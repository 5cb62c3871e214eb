//! Statistics of two sets of samples. Pure, and the same every time: random choices come from a fixed seed.

mod bootstrap;
mod effect;
mod significance;

pub use bootstrap::Interval;
pub(crate) use bootstrap::difference_of_means;
pub(crate) use effect::{hedges_g, mean};
pub(crate) use significance::{adjust_for_many, fisher, welch};
