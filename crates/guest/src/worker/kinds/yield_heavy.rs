//! `YieldHeavy`: computes next to nothing between calls of `sched_yield`.

use super::Members;
use crate::worker::bench::Bench;
use crate::worker::work::{Trouble, Work};

struct YieldHeavy;

pub(super) fn members() -> Members {
    vec![Box::new(YieldHeavy)]
}

impl Work for YieldHeavy {
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        bench.spin(16);
        rustix::thread::sched_yield();
        Ok(())
    }
}
