//! `SpinWait`: computes without pause, touching no memory beyond its registers and never blocking.

use super::Members;
use crate::worker::bench::Bench;
use crate::worker::work::{Trouble, Work};

struct SpinWait;

pub(super) fn members() -> Members {
    vec![Box::new(SpinWait)]
}

impl Work for SpinWait {
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        bench.spin_one_checkpoint();
        Ok(())
    }
}
