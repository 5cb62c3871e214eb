//! `YieldHeavy`: computes next to nothing between calls of `sched_yield`.

use super::Members;
use crate::worker::parts::{Spin, Then, Yield};

pub(super) fn members() -> Members {
    vec![Box::new(Then(Spin(16), Yield))]
}
