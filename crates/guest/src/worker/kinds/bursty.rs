//! `Bursty`: computes, then sleeps.

use std::time::Duration;

use super::Members;
use crate::worker::parts::{Sleep, SpinFor, Then};

pub(super) fn members(burst: Duration, sleep: Duration) -> Members {
    vec![Box::new(Then(SpinFor(burst), Sleep(sleep)))]
}
