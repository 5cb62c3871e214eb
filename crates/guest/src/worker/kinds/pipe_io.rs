//! `PipeIo`: two workers that compute, pass a message through a pipe and wait for the answer.

use ktstr_model::WakeMechanism;

use super::Members;
use crate::error::GuestError;
use crate::worker::parts::Spin;
use crate::worker::turn::ring;

pub(super) fn members(burst_iters: u64) -> Result<Members, GuestError> {
    ring(2, WakeMechanism::Pipe, |_| Spin(burst_iters))
}
