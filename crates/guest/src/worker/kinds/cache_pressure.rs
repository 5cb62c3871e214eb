//! `CachePressure`: reads and writes memory in strides.

use super::Members;
use crate::worker::passes::Passes;

pub(super) fn members(size_kb: usize, stride: usize) -> Members {
    vec![Box::new(Passes::new(size_kb, stride, 1))]
}
