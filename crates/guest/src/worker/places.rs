//! Where CPUs are, in a form that a worker can look at in its loop.

use ktstr_model::{CpuSet, MAX_CPUS};

use crate::topology::TestTopology;

/// The last-level cache and the NUMA node of each CPU.
#[derive(Clone, Debug)]
pub(crate) struct CpuPlaces(Vec<(u16, u16)>);

impl CpuPlaces {
    /// The places of a machine's CPUs.
    pub(crate) fn of(topology: &TestTopology) -> Self {
        // Not CPU by CPU: each team of workers would search for all that a machine might have.
        let at = |cpus: &CpuSet, place: u16| -> Vec<(usize, u16)> {
            cpus.iter().map(|cpu| (cpu as usize, place)).filter(|(cpu, _)| *cpu < MAX_CPUS as usize).collect()
        };
        let mut places = vec![(u16::MAX, u16::MAX); MAX_CPUS as usize];
        let llcs = topology.llcs().iter().zip(0..).flat_map(|(llc, number)| at(&llc.cpus, number));
        llcs.for_each(|(cpu, llc)| places[cpu].0 = llc);
        let nodes = topology.nodes().iter().flat_map(|node| at(&node.cpus, node.id as u16));
        nodes.for_each(|(cpu, node)| places[cpu].1 = node);
        Self(places)
    }

    /// All CPUs in one place.
    #[cfg(test)]
    pub(crate) fn one() -> Self {
        Self(vec![(0, 0); MAX_CPUS as usize])
    }

    /// Whether two CPUs have different last-level caches, and whether they are on different NUMA nodes.
    pub(crate) fn crossed(&self, from: u32, to: u32) -> (bool, bool) {
        match (self.0.get(from as usize), self.0.get(to as usize)) {
            (Some(from), Some(to)) => (from.0 != to.0, from.1 != to.1),
            _ => (false, false),
        }
    }
}
