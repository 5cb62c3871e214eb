//! `FanOutCompute`: one worker that wakes many, each of which passes over memory of its own.

use std::time::Duration;

use super::Members;
use crate::error::GuestError;
use crate::worker::parts::Sleep;
use crate::worker::passes::{LINE, Passes};
use crate::worker::round::group;

pub(super) fn members(
    fan_out: usize,
    cache_footprint_kb: usize,
    operations: usize,
    sleep_usec: u64,
) -> Result<Members, GuestError> {
    let passes = || Passes::new(cache_footprint_kb, LINE, operations as u64);
    group(fan_out, Sleep(Duration::from_micros(sleep_usec)), passes)
}
