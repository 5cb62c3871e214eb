//! On which CPUs a worker asks to run.

use crate::CpuSet;

/// On which CPUs a worker asks to run. Where that depends on the machine, on the cgroup's cpuset or on chance, it is
/// settled when the worker is made; chance comes from the run's seed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum AffinityIntent {
    /// Nothing is asked for: the cgroup's cpuset decides.
    #[default]
    Inherit,
    /// Each worker on CPUs of its own chance.
    RandomSubset {
        /// The CPUs to choose from; when empty, those of the cgroup's cpuset.
        from: CpuSet,
        /// How many each worker gets; at least 1.
        count: usize,
    },
    /// The CPUs of that last-level cache of which the cpuset has most; of equal ones the first.
    LlcAligned,
    /// All CPUs of the machine, whatever the cpuset says. The kernel still keeps a worker inside its cpuset, and widens
    /// that affinity along with it.
    CrossCgroup,
    /// All workers on one CPU, the first of the cpuset.
    SingleCpu,
    /// These CPUs.
    Exact(CpuSet),
}

impl AffinityIntent {
    /// [`RandomSubset`](Self::RandomSubset).
    pub fn random_subset(from: impl IntoIterator<Item = usize>, count: usize) -> Self {
        Self::RandomSubset { from: CpuSet::of(from), count }
    }

    /// [`Exact`](Self::Exact).
    pub fn exact(cpus: impl IntoIterator<Item = usize>) -> Self {
        Self::Exact(CpuSet::of(cpus))
    }
}
