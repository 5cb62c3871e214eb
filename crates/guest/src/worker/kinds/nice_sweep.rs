//! `NiceSweep`: computes at one nice value after the other, from -20 to 19.

use super::Members;
use crate::worker::bench::Bench;
use crate::worker::settings::set_nice;
use crate::worker::work::{Trouble, Work};

const LOWEST: i32 = -20;
const HIGHEST: i32 = 19;

struct NiceSweep {
    next: i32,
}

pub(super) fn members() -> Members {
    vec![Box::new(NiceSweep { next: LOWEST })]
}

impl Work for NiceSweep {
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        set_nice(self.next)?;
        self.next = if self.next == HIGHEST { LOWEST } else { self.next + 1 };
        bench.spin_one_checkpoint();
        Ok(())
    }
}
