//! How the runs of a campaign differ from each other: one file for each strategy.

mod delays;
mod hotplug;
mod mix;
mod priorities;
mod replay;
mod seeds;
mod sweep;

use std::fmt;
use std::str::FromStr;

use ktstr_model::{SplitMix64, Variation};
use serde::{Deserialize, Serialize};

use crate::ground::Ground;

/// What chooses variations.
///
/// A variation depends on nothing but the strategy, the run's number and what the plain run taught. So a campaign that is
/// taken up again, or carried out by another number of machines, makes the same runs.
pub trait Strategy: Send + Sync {
    /// The variation of run `number`, 1 or more: run 0 is the plain one. `None` when there are no more.
    fn variation(&self, number: u64, ground: &Ground) -> Option<Variation>;
}

/// The strategies that can be asked for by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StrategyName {
    /// `seeds`, `delays`, `priorities` and `sweep` in turn.
    #[default]
    Mix,
    /// Seeds and start offsets.
    Seeds,
    /// Short stalls of random CPUs.
    Delays,
    /// Random nice values that change at random times.
    Priorities,
    /// Random CPUs off line and on line again.
    Hotplug,
    /// Start offsets around the tick, and durations.
    Sweep,
}

impl StrategyName {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Mix, Self::Seeds, Self::Delays, Self::Priorities, Self::Hotplug, Self::Sweep];

    /// The strategy, with all its random choices from `seed`.
    pub fn strategy(self, seed: u64) -> Box<dyn Strategy> {
        match self {
            Self::Mix => Box::new(mix::Mix::new(seed)),
            Self::Seeds => Box::new(seeds::Seeds(seed)),
            Self::Delays => Box::new(delays::Delays(seed)),
            Self::Priorities => Box::new(priorities::Priorities(seed)),
            Self::Hotplug => Box::new(hotplug::Hotplug(seed)),
            Self::Sweep => Box::new(sweep::Sweep),
        }
    }

    /// Why the strategy makes no sense on this ground.
    pub fn trouble(self, ground: &Ground) -> Option<&'static str> {
        (self == Self::Hotplug && ground.cpus < 2)
            .then_some("strategy `hotplug` needs two CPUs: the kernel keeps the first one on line")
    }
}

/// `times` runs of one variation.
pub fn replay(variation: Variation, times: u64) -> Box<dyn Strategy> {
    Box::new(replay::Replay { variation, times })
}

impl fmt::Display for StrategyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mix => "mix",
            Self::Seeds => "seeds",
            Self::Delays => "delays",
            Self::Priorities => "priorities",
            Self::Hotplug => "hotplug",
            Self::Sweep => "sweep",
        })
    }
}

/// A name that no strategy has.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no strategy is called `{0}`: choose mix, seeds, delays, priorities, hotplug or sweep")]
pub struct UnknownStrategy(String);

impl FromStr for StrategyName {
    type Err = UnknownStrategy;

    fn from_str(name: &str) -> Result<Self, UnknownStrategy> {
        let known = Self::ALL.into_iter().find(|known| known.to_string() == name);
        known.ok_or_else(|| UnknownStrategy(name.to_owned()))
    }
}

/// The random choices of a run; a strategy that is used by another one makes its own.
fn choices(seed: u64, number: u64) -> SplitMix64 {
    SplitMix64::of_worker(seed.wrapping_add(number >> 32), number as u32)
}

/// A seed for run `number`: neighbours of the campaign's, so that people can read them.
fn seed_of(seed: u64, number: u64) -> Option<u64> {
    Some(seed.wrapping_add(number))
}

/// A time below `bound_ns`.
fn time_below(random: &mut SplitMix64, bound_ns: u64) -> u64 {
    ((u128::from(random.next_u64()) * u128::from(bound_ns)) >> 64) as u64
}

/// A time from `least_ns` to `most_ns`, short ones as likely as long ones: each doubling has an equal share.
fn time_of_any_scale(random: &mut SplitMix64, least_ns: u64, most_ns: u64) -> u64 {
    let unit = (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    let factor = (most_ns as f64 / least_ns as f64).powf(unit);
    ((least_ns as f64 * factor) as u64).clamp(least_ns, most_ns)
}

#[cfg(test)]
mod tests;
