//! `WakeChain`: workers in a ring, each of which wakes the next.

use std::time::Duration;

use ktstr_model::WakeMechanism;

use super::Members;
use crate::error::GuestError;
use crate::worker::parts::SpinFor;
use crate::worker::turn::ring;

pub(super) fn members(
    depth: usize,
    wake: WakeMechanism,
    work_per_hop: Duration,
) -> Result<Members, GuestError> {
    ring(depth, wake, |_| SpinFor(work_per_hop))
}
