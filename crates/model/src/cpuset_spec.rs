//! Which CPUs a cgroup is confined to.

use crate::CpuSet;

/// Which CPUs a cgroup is confined to, over the machine's usable CPUs: the last one is kept for the root cgroup where
/// there are more than two.
#[derive(Clone, Debug, PartialEq)]
pub enum CpusetSpec {
    /// The usable CPUs of the last-level cache with this number.
    Llc(usize),
    /// The usable CPUs of the NUMA node with this number.
    Numa(usize),
    /// The usable CPUs from one fraction to another, 0 to 1.
    Range {
        /// Where it begins.
        start_frac: f64,
        /// Where it ends, not included.
        end_frac: f64,
    },
    /// One of `of` parts of equal size that have no CPU in common; the last part has what is left over.
    Disjoint {
        /// Which part, from 0.
        index: usize,
        /// How many parts.
        of: usize,
    },
    /// As [`Disjoint`](Self::Disjoint), but each part reaches into the next.
    Overlap {
        /// Which part, from 0.
        index: usize,
        /// How many parts.
        of: usize,
        /// By which fraction of a part, 0 to 1.
        frac: f64,
    },
    /// These CPUs.
    Exact(CpuSet),
}

impl CpusetSpec {
    /// [`Llc`](Self::Llc).
    pub const fn llc(index: usize) -> Self {
        Self::Llc(index)
    }

    /// [`Numa`](Self::Numa).
    pub const fn numa(node: usize) -> Self {
        Self::Numa(node)
    }

    /// [`Range`](Self::Range).
    pub const fn range(start_frac: f64, end_frac: f64) -> Self {
        Self::Range { start_frac, end_frac }
    }

    /// [`Disjoint`](Self::Disjoint).
    pub const fn disjoint(index: usize, of: usize) -> Self {
        Self::Disjoint { index, of }
    }

    /// [`Overlap`](Self::Overlap).
    pub const fn overlap(index: usize, of: usize, frac: f64) -> Self {
        Self::Overlap { index, of, frac }
    }

    /// [`Exact`](Self::Exact).
    pub fn exact(cpus: impl IntoIterator<Item = usize>) -> Self {
        Self::Exact(CpuSet::of(cpus))
    }
}
