//! `hotplug`: random CPUs go off line at random times and come back.
//!
//! The kernel ends a BPF scheduler without `cpu_online` and `cpu_offline` operations when a CPU goes; for such a scheduler
//! every run fails in that way, which says nothing more.

use ktstr_model::{Outage, Perturbation, Variation};

use super::{Strategy, choices, seed_of, time_below, time_of_any_scale};
use crate::ground::Ground;

const SHORTEST_NS: u64 = 2_000_000;
const LONGEST_NS: u64 = 300_000_000;
/// Outages of a run at most; one takes some ten milliseconds itself.
const MOST: u32 = 6;

pub(super) struct Hotplug(pub u64);

impl Strategy for Hotplug {
    fn variation(&self, number: u64, ground: &Ground) -> Option<Variation> {
        if ground.cpus < 2 {
            return None;
        }
        let mut random = choices(self.0, number);
        let outage = |_| Outage {
            cpu: 1 + random.below(ground.cpus - 1),
            at_ns: time_below(&mut random, ground.body_ns),
            for_ns: time_of_any_scale(&mut random, SHORTEST_NS, LONGEST_NS),
        };
        let count = 1 + choices(!self.0, number).below(MOST);
        let mut outages: Vec<Outage> = (0..count).map(outage).collect();
        outages.sort_by_key(|outage| outage.at_ns);
        Some(Variation {
            seed: seed_of(self.0, number),
            perturbation: Perturbation { outages, ..Perturbation::default() },
            ..Variation::default()
        })
    }
}
