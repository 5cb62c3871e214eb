//! `priorities`: random priorities for the workers, lowered at random times.
//!
//! In the manner of PCT (Burckhardt, Kothari, Musuvathi, Nagarakatte: A Randomized Scheduler with Probabilistic Guarantees
//! of Finding Bugs, ASPLOS 2010): the workers get the priorities of a random permutation, and at each of d - 1 random change
//! points one of them falls below all others. There a thread runs only when all of higher priority are blocked. Here the
//! scheduler under test decides what priorities mean, so they are nice values, and the worker that falls is a random one;
//! PCT's guarantee does not carry over.

use ktstr_model::{NiceChange, Perturbation, SplitMix64, Variation};

use super::{Strategy, choices, seed_of, time_below};
use crate::ground::Ground;

/// Change points of a run: up to this many, as PCT's d is small because most bugs need few.
const MOST_CHANGES: u32 = 8;
/// Nice values at the beginning; worse ones are for who falls.
const FIRST: i64 = -20;
const LAST: i64 = 19 - MOST_CHANGES as i64;

pub(super) struct Priorities(pub u64);

impl Strategy for Priorities {
    fn variation(&self, number: u64, ground: &Ground) -> Option<Variation> {
        let mut random = choices(self.0, number);
        let workers = ground.workers.max(1);
        let ranks = permutation(workers, &mut random);
        let mut nice_changes: Vec<NiceChange> = (0..workers)
            .zip(ranks)
            .map(|(worker, rank)| NiceChange { worker, at_ns: 0, nice: nice_of(rank, workers) })
            .collect();
        let changes = 1 + random.below(MOST_CHANGES);
        let mut times: Vec<u64> =
            (0..changes).map(|_| time_below(&mut random, ground.body_ns).max(1)).collect();
        times.sort_unstable();
        for (at_ns, fallen) in times.into_iter().zip(1i64..) {
            let nice = (LAST + fallen) as i8;
            nice_changes.push(NiceChange { worker: random.below(workers), at_ns, nice });
        }
        Some(Variation {
            seed: seed_of(self.0, number),
            perturbation: Perturbation { nice_changes, ..Perturbation::default() },
            ..Variation::default()
        })
    }
}

/// The nice value of the worker with this rank: spread over what there is at the beginning.
fn nice_of(rank: u32, workers: u32) -> i8 {
    (FIRST + (LAST - FIRST) * i64::from(rank) / i64::from(workers.max(2) - 1)) as i8
}

fn permutation(count: u32, random: &mut SplitMix64) -> Vec<u32> {
    let mut ranks: Vec<u32> = (0..count).collect();
    for place in (1..ranks.len()).rev() {
        ranks.swap(place, random.below(place as u32 + 1) as usize);
    }
    ranks
}
