//! `FutexPingPong`: two workers that wake each other in turn through a futex.

use ktstr_model::WakeMechanism;

use super::Members;
use crate::error::GuestError;
use crate::worker::parts::Spin;
use crate::worker::turn::ring;

pub(super) fn members(spin_iters: u64) -> Result<Members, GuestError> {
    ring(2, WakeMechanism::Futex, |_| Spin(spin_iters))
}
