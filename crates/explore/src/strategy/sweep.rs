//! `sweep`: no random choice at all. The body begins at ever other offsets from the tick, and the workload runs shorter or
//! longer, with the test's own seed.

use ktstr_model::{Perturbation, Variation};

use super::Strategy;
use crate::ground::Ground;

/// The longest period of a tick (HZ=100), which the offsets reach over.
const PERIOD_NS: u64 = 10_000_000;
/// Parts of the test's duration, in percent, in turn.
const DURATIONS: [u64; 5] = [100, 75, 125, 50, 150];

pub(super) struct Sweep;

impl Strategy for Sweep {
    fn variation(&self, number: u64, ground: &Ground) -> Option<Variation> {
        let turn = (number % DURATIONS.len() as u64) as usize;
        Some(Variation {
            seed: None,
            duration_ns: Some(ground.duration_ns / 100 * DURATIONS[turn]),
            perturbation: Perturbation { start_offset_ns: offset(number), ..Perturbation::default() },
        })
    }
}

/// The van der Corput sequence: the bits of the number, reversed, are a fraction of the period. However many offsets
/// there are, they lie evenly.
fn offset(number: u64) -> u64 {
    ((u128::from(number.reverse_bits()) * u128::from(PERIOD_NS)) >> 64) as u64
}
