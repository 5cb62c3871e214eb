//! Where CPUs are, in a form that a worker can look at in its loop.

use ktstr_model::MAX_CPUS;

use crate::topology::TestTopology;

/// The last-level cache and the NUMA node of each CPU.
#[derive(Clone, Debug)]
pub(crate) struct CpuPlaces(Vec<(u16, u16)>);

impl CpuPlaces {
    /// The places of a machine's CPUs.
    pub(crate) fn of(topology: &TestTopology) -> Self {
        let place = |cpu| {
            let llc = topology.llc_of(cpu).unwrap_or(usize::from(u16::MAX)) as u16;
            (llc, topology.node_of(cpu).unwrap_or(u16::MAX.into()) as u16)
        };
        Self((0..MAX_CPUS).map(place).collect())
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
