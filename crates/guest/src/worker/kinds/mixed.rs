//! `Mixed`: computes for a while, then yields.

use super::Members;
use crate::worker::parts::{SpinOn, Then, Yield};

pub(super) fn members() -> Members {
    vec![Box::new(Then(SpinOn, Yield))]
}
