//! `seeds`: a seed for each run, and a start offset.
//!
//! The seed shifts the workers' phases, chooses their random CPUs and times, and gives the guest's kernel its random numbers.

use ktstr_model::{Perturbation, Variation};

use super::{Strategy, choices, seed_of, time_below};
use crate::ground::Ground;

/// Start offsets reach over the period of every tick there is (10 ms at HZ=100).
const OFFSETS_NS: u64 = 10_000_000;

pub(super) struct Seeds(pub u64);

impl Strategy for Seeds {
    fn variation(&self, number: u64, _: &Ground) -> Option<Variation> {
        let start_offset_ns = time_below(&mut choices(self.0, number), OFFSETS_NS);
        Some(Variation {
            seed: seed_of(self.0, number),
            perturbation: Perturbation { start_offset_ns, ..Perturbation::default() },
            ..Variation::default()
        })
    }
}
