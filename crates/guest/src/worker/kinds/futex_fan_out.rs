//! `FutexFanOut`: one worker that wakes many at once through a futex.

use super::Members;
use crate::error::GuestError;
use crate::worker::parts::Spin;
use crate::worker::round::group;

pub(super) fn members(fan_out: usize, spin_iters: u64) -> Result<Members, GuestError> {
    group(fan_out, Spin(spin_iters), || Spin(spin_iters))
}
