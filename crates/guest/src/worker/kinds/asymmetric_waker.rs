//! `AsymmetricWaker`: two workers of different policies, of which the first wakes the second.
//!
//! The second wakes the first when it has done its burst: a waker that went on without it would find it awake each time.

use ktstr_model::{SchedPolicy, WakeMechanism};

use super::Members;
use crate::error::GuestError;
use crate::worker::parts::{Spin, Under};
use crate::worker::turn::ring;

pub(super) fn members(
    waker_class: SchedPolicy,
    wakee_class: SchedPolicy,
    burst_iters: u64,
) -> Result<Members, GuestError> {
    ring(2, WakeMechanism::Futex, |place| Under([waker_class, wakee_class][place], Spin(burst_iters)))
}
