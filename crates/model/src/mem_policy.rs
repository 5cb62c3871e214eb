//! On which NUMA nodes a worker's memory lies.

use std::collections::BTreeSet;
use std::ops::BitOr;

/// A worker's memory policy; see set_mempolicy(2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum MemPolicy {
    /// The kernel's: on the node of the CPU that touches a page first.
    #[default]
    Default,
    /// Only on these nodes.
    Bind(BTreeSet<usize>),
    /// On this node while it has free memory.
    Preferred(usize),
    /// On these nodes while they have free memory (Linux 5.15).
    PreferredMany(BTreeSet<usize>),
    /// Page by page on these nodes in turn.
    Interleave(BTreeSet<usize>),
    /// As [`Interleave`](Self::Interleave), by the nodes' weights (Linux 6.9).
    WeightedInterleave(BTreeSet<usize>),
    /// On the node of the CPU that touches a page first, whatever the process' policy was.
    Local,
}

impl MemPolicy {
    /// [`Bind`](Self::Bind).
    pub fn bind(nodes: impl IntoIterator<Item = usize>) -> Self {
        Self::Bind(nodes.into_iter().collect())
    }

    /// [`Preferred`](Self::Preferred).
    pub const fn preferred(node: usize) -> Self {
        Self::Preferred(node)
    }

    /// [`PreferredMany`](Self::PreferredMany).
    pub fn preferred_many(nodes: impl IntoIterator<Item = usize>) -> Self {
        Self::PreferredMany(nodes.into_iter().collect())
    }

    /// [`Interleave`](Self::Interleave).
    pub fn interleave(nodes: impl IntoIterator<Item = usize>) -> Self {
        Self::Interleave(nodes.into_iter().collect())
    }

    /// [`WeightedInterleave`](Self::WeightedInterleave).
    pub fn weighted_interleave(nodes: impl IntoIterator<Item = usize>) -> Self {
        Self::WeightedInterleave(nodes.into_iter().collect())
    }

    /// The nodes that it names; none for [`Default`](Self::Default) and [`Local`](Self::Local).
    pub fn nodes(&self) -> BTreeSet<usize> {
        match self {
            Self::Default | Self::Local => BTreeSet::new(),
            Self::Preferred(node) => BTreeSet::from([*node]),
            Self::Bind(nodes)
            | Self::PreferredMany(nodes)
            | Self::Interleave(nodes)
            | Self::WeightedInterleave(nodes) => nodes.clone(),
        }
    }

    /// Whether it names nodes at all.
    pub const fn names_nodes(&self) -> bool {
        !matches!(self, Self::Default | Self::Local)
    }
}

/// How a memory policy's nodes are meant when the cpuset changes; see set_mempolicy(2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MpolFlags(u32);

impl MpolFlags {
    /// The kernel maps the nodes to the new cpuset.
    pub const NONE: Self = Self(0);
    /// The nodes are what they are (`MPOL_F_STATIC_NODES`).
    pub const STATIC_NODES: Self = Self(1 << 15);
    /// The nodes are counted within the cpuset's nodes (`MPOL_F_RELATIVE_NODES`).
    pub const RELATIVE_NODES: Self = Self(1 << 14);
    /// The kernel may move pages of a bound policy to where they are used (`MPOL_F_NUMA_BALANCING`).
    pub const NUMA_BALANCING: Self = Self(1 << 13);

    /// The bits as the kernel takes them, beside the mode.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether all flags of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The flags of both.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOr for MpolFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}
