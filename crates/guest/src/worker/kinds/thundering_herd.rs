//! `ThunderingHerd`: one worker that wakes all others at the same instant, again and again.

use std::time::Duration;

use super::Members;
use crate::error::GuestError;
use crate::worker::bench::Bench;
use crate::worker::parts::Spin;
use crate::worker::round::group;
use crate::worker::work::{Trouble, Work};

/// Sleeps before the first of each batch of steps.
struct PauseBetweenBatches {
    batch: u64,
    pause: Duration,
    left: u64,
}

pub(super) fn members(waiters: usize, batches: u64, inter_batch_ms: u64) -> Result<Members, GuestError> {
    let pause = Duration::from_millis(inter_batch_ms);
    // Those who are woken go back to sleep at once: waking them is all that this is about.
    group(waiters, PauseBetweenBatches { batch: batches, pause, left: batches }, || Spin(0))
}

impl Work for PauseBetweenBatches {
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        if self.left == 0 {
            bench.sleep(self.pause)?;
            self.left = self.batch;
        }
        self.left -= 1;
        Ok(())
    }
}
