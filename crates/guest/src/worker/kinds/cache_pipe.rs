//! `CachePipe`: two workers that pass over memory of their own and then pass a message through a pipe.

use ktstr_model::WakeMechanism;

use super::Members;
use crate::error::GuestError;
use crate::worker::passes::{LINE, Passes};
use crate::worker::turn::ring;

pub(super) fn members(size_kb: usize, burst_iters: u64) -> Result<Members, GuestError> {
    ring(2, WakeMechanism::Pipe, |_| Passes::new(size_kb, LINE, burst_iters))
}
