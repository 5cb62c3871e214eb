//! `Custom`: what a test brings itself.

use ktstr_model::CustomWork;

use super::Members;
use crate::worker::bench::Bench;
use crate::worker::work::{Trouble, Work};

struct Custom {
    run: CustomWork,
}

pub(super) fn members(run: CustomWork) -> Members {
    vec![Box::new(Custom { run })]
}

impl Work for Custom {
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let report = (self.run)(bench.stop_flag());
        bench.take_over(&report);
        // What ended early has nothing more to do.
        while !bench.stopped() {
            // SAFETY: no arguments. The signals that come with a stop end it.
            unsafe { libc::pause() };
        }
        Ok(())
    }

    fn measures_itself(&self) -> bool {
        true
    }
}
