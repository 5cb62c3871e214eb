//! `CacheYield`: reads and writes memory in strides, with a yield after each pass.

use super::Members;
use crate::worker::parts::{Then, Yield};
use crate::worker::passes::Passes;

pub(super) fn members(size_kb: usize, stride: usize) -> Members {
    vec![Box::new(Then(Passes::new(size_kb, stride, 1), Yield))]
}
