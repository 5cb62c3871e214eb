//! Which CPUs a worker asks for, once machine, cpuset and chance are known.

use ktstr_model::{AffinityIntent, CpuSet};

use crate::error::GuestError;
use crate::topology::{Llc, TestTopology};
use ktstr_model::SplitMix64;

/// The CPUs that a worker asks for, of whose cgroup `cpuset` are the CPUs; `None` when it asks for nothing.
///
/// # Errors
/// When that are CPUs that the machine does not have, or none at all.
pub(crate) fn resolve(
    intent: &AffinityIntent,
    topology: &TestTopology,
    cpuset: &CpuSet,
    random: &mut SplitMix64,
) -> Result<Option<CpuSet>, GuestError> {
    let refused = |why: String| GuestError::Affinity { intent: intent.clone(), why };
    let cpus = match intent {
        AffinityIntent::Inherit => return Ok(None),
        AffinityIntent::RandomSubset { from, count } => {
            let from = if from.is_empty() { cpuset } else { from };
            if *count == 0 || *count > from.len() {
                return Err(refused(format!("{count} of the {} CPUs {from} cannot be chosen", from.len())));
            }
            random_subset(from, *count, random)
        }
        AffinityIntent::LlcAligned => {
            let overlap = |llc: &&Llc| llc.cpus.intersection(cpuset).len();
            // `max_by_key` takes the last of equal ones.
            let llc = topology.llcs().iter().rev().max_by_key(overlap);
            llc.map(|llc| llc.cpus.clone()).unwrap_or_default()
        }
        AffinityIntent::CrossCgroup => topology.cpus().clone(),
        AffinityIntent::SingleCpu => cpuset.first().into_iter().collect(),
        AffinityIntent::Exact(cpus) => cpus.clone(),
    };
    let absent = cpus.difference(topology.cpus());
    if !absent.is_empty() {
        return Err(refused(format!("the machine has CPUs {}, but not {absent}", topology.cpus())));
    }
    if cpus.is_empty() {
        return Err(refused("these are no CPUs".to_owned()));
    }
    Ok(Some(cpus))
}

/// The first `count` of a shuffled deck (Fisher and Yates).
fn random_subset(from: &CpuSet, count: usize, random: &mut SplitMix64) -> CpuSet {
    let mut deck: Vec<u32> = from.iter().collect();
    for place in 0..count.min(deck.len()) {
        let other = place + random.below((deck.len() - place) as u32) as usize;
        deck.swap(place, other);
    }
    deck.into_iter().take(count).collect()
}
