//! `mix`: the strategies that fit every test, in turn. `hotplug` is none of them: many schedulers do not take part in it.

use ktstr_model::Variation;

use super::{Strategy, StrategyName};
use crate::ground::Ground;

pub(super) struct Mix(Vec<Box<dyn Strategy>>);

impl Mix {
    pub(super) fn new(seed: u64) -> Self {
        let names =
            [StrategyName::Delays, StrategyName::Seeds, StrategyName::Priorities, StrategyName::Sweep];
        Self(names.map(|name| name.strategy(seed)).into())
    }
}

impl Strategy for Mix {
    fn variation(&self, number: u64, ground: &Ground) -> Option<Variation> {
        let (round, turn) = ((number - 1) / self.0.len() as u64, (number - 1) % self.0.len() as u64);
        self.0[turn as usize].variation(round + 1, ground)
    }
}
