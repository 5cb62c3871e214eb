//! `AluHot`: keeps the arithmetic units busy with independent operations of one width.

use ktstr_model::{AluWidth, Mode};

use super::Members;
use crate::error::GuestError;
use crate::worker::bench::Bench;
use crate::worker::group::GroupPlan;
use crate::worker::work::{Trouble, Work};

mod operations;

use operations::Operations;

struct AluHot {
    operations: Operations,
    rounds: u32,
}

pub(super) fn members(width: AluWidth, plan: &GroupPlan<'_>) -> Result<Members, GuestError> {
    let operations = Operations::of(width)
        .map_err(|why| GuestError::WorkTypeUnfit { work: "AluHot", why: why.to_owned() })?;
    // A round has 10 instructions. Deterministic machines take 4 ns for each; real ones some 1.5 ns for all, since none
    // but the counter waits for another.
    let rounds = match plan.mode {
        Mode::Deterministic => 6_000,
        Mode::RealTime => 150_000,
    };
    Ok(vec![Box::new(AluHot { operations, rounds })])
}

impl Work for AluHot {
    fn prepare(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        bench.remark(self.operations.name());
        Ok(())
    }

    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let rounds = self.rounds - self.rounds / 8 + bench.random().below(self.rounds / 4);
        self.operations.run(rounds.into());
        bench.computed(rounds.into());
        Ok(())
    }
}
