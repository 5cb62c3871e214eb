//! `delays`: short stalls of random CPUs at random times, as interrupts and hosts cause them.

use ktstr_model::{Perturbation, Stall, Variation};

use super::{Strategy, choices, seed_of, time_below, time_of_any_scale};
use crate::ground::Ground;

/// Stalls from the length of an interrupt to that of a host's time slice.
const SHORTEST_NS: u64 = 5_000;
const LONGEST_NS: u64 = 20_000_000;
/// Mean time between the stalls of a run, all CPUs together: each run has its own, from a few stalls to very many.
const DENSEST_NS: u64 = 100_000;
const SPARSEST_NS: u64 = 100_000_000;
/// The shortest stall of a run is this part of its longest.
const SPREAD: u64 = 4;
/// Stalls of one run, at most: an order has its limits.
const MOST: u64 = 4000;

pub(super) struct Delays(pub u64);

impl Strategy for Delays {
    fn variation(&self, number: u64, ground: &Ground) -> Option<Variation> {
        let mut random = choices(self.0, number);
        let longest_ns = time_of_any_scale(&mut random, SHORTEST_NS * SPREAD, LONGEST_NS);
        // Long ones are rare, or nothing else would run.
        let densest_ns = DENSEST_NS.max(longest_ns * 4);
        let apart_ns = time_of_any_scale(&mut random, densest_ns, SPARSEST_NS);
        let count = (ground.body_ns / apart_ns).clamp(1, MOST);
        let stall = |_| Stall {
            cpu: random.below(ground.cpus),
            at_ns: time_below(&mut random, ground.body_ns),
            for_ns: time_of_any_scale(&mut random, longest_ns / SPREAD, longest_ns),
        };
        let mut stalls: Vec<Stall> = (0..count).map(stall).collect();
        stalls.sort_by_key(|stall| stall.at_ns);
        Some(Variation {
            seed: seed_of(self.0, number),
            perturbation: Perturbation { stalls, ..Perturbation::default() },
            ..Variation::default()
        })
    }
}
