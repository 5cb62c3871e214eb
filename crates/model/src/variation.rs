//! A run of a test that differs from the plain one.

use serde::{Deserialize, Serialize};

use crate::{Perturbation, RunOrder};

/// In what a run differs from the one that its test describes. Equal variations of one order give equal runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Variation {
    /// The seed; `None` for that of the order.
    pub seed: Option<u64>,
    /// How long the workload runs, in nanoseconds; `None` for as long as the order says.
    pub duration_ns: Option<u64>,
    /// What is done to the machine meanwhile.
    pub perturbation: Perturbation,
}

impl Variation {
    /// The order of the varied run.
    pub fn of(&self, order: &RunOrder) -> RunOrder {
        RunOrder {
            seed: self.seed.unwrap_or(order.seed),
            duration_ns: self.duration_ns.unwrap_or(order.duration_ns),
            perturbation: self.perturbation.clone(),
            ..order.clone()
        }
    }
}
