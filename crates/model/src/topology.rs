//! A machine's CPU topology, big to little: NUMA nodes, last-level caches, cores, SMT threads.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The largest number of CPUs that a topology may have.
///
/// The presets end at 252; QEMU's q35 machine ends at 4096, and the kernels we boot at 512 (`NR_CPUS`).
pub const MAX_CPUS: u32 = 512;

/// A CPU topology that cannot be wrong: every level has at least one member, last-level caches divide evenly over
/// NUMA nodes, and the product is at most 512 CPUs.
///
/// Written `1n2l4c1t`: one NUMA node, two LLCs *in total*, four cores per LLC, one thread per core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Topology {
    numa_nodes: u32,
    llcs: u32,
    cores_per_llc: u32,
    threads_per_core: u32,
}

/// Why four numbers, or a text, are not a topology.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopologyError {
    /// One level has no members.
    #[error("{level} = 0: a machine needs at least one; write 1 or more")]
    Zero {
        /// The level's key in `#[ktstr_test]`.
        level: &'static str,
    },
    /// Last-level caches cannot be shared out evenly.
    #[error(
        "llcs = {llcs} is not divisible by numa_nodes = {numa_nodes}: every NUMA node has the same number of LLCs"
    )]
    Uneven {
        /// LLCs in total.
        llcs: u32,
        /// NUMA nodes.
        numa_nodes: u32,
    },
    /// More CPUs than a guest kernel can have.
    #[error("{cpus} CPUs ({text}): the largest topology has 512")]
    TooLarge {
        /// The product of all levels.
        cpus: u64,
        /// The topology's short form.
        text: String,
    },
    /// A text that is not of the form `1n2l4c1t` or `1,2,4,1`.
    #[error(
        "`{0}` is not a topology: write NUMA nodes, LLCs in total, cores per LLC and threads per core, as `1n2l4c1t` or `1,2,4,1`"
    )]
    Syntax(String),
}

impl Topology {
    /// A topology of `numa_nodes` NUMA nodes and `llcs` last-level caches in total, with `cores_per_llc` cores each
    /// and `threads_per_core` SMT threads a core.
    ///
    /// # Errors
    /// When a level is zero, when `llcs` is not divisible by `numa_nodes`, or above 512 CPUs.
    pub fn new(
        numa_nodes: u32,
        llcs: u32,
        cores_per_llc: u32,
        threads_per_core: u32,
    ) -> Result<Self, TopologyError> {
        let levels = [
            ("numa_nodes", numa_nodes),
            ("llcs", llcs),
            ("cores", cores_per_llc),
            ("threads", threads_per_core),
        ];
        if let Some((level, _)) = levels.iter().find(|(_, n)| *n == 0) {
            return Err(TopologyError::Zero { level });
        }
        if !llcs.is_multiple_of(numa_nodes) {
            return Err(TopologyError::Uneven { llcs, numa_nodes });
        }
        let cpus =
            u64::from(llcs).saturating_mul(cores_per_llc.into()).saturating_mul(threads_per_core.into());
        let topology = Self { numa_nodes, llcs, cores_per_llc, threads_per_core };
        if cpus > MAX_CPUS.into() {
            return Err(TopologyError::TooLarge { cpus, text: topology.to_string() });
        }
        Ok(topology)
    }

    /// The same check for constants: what [`Topology::new`] refuses stops compilation.
    #[track_caller]
    pub const fn of(numa_nodes: u32, llcs: u32, cores_per_llc: u32, threads_per_core: u32) -> Self {
        assert!(numa_nodes > 0, "numa_nodes must be at least 1");
        assert!(llcs > 0, "llcs must be at least 1");
        assert!(cores_per_llc > 0, "cores must be at least 1");
        assert!(threads_per_core > 0, "threads must be at least 1");
        assert!(llcs.is_multiple_of(numa_nodes), "llcs must be divisible by numa_nodes");
        let cpus = llcs as u64 * cores_per_llc as u64 * threads_per_core as u64;
        assert!(cpus <= MAX_CPUS as u64, "the largest topology has 512 CPUs");
        Self { numa_nodes, llcs, cores_per_llc, threads_per_core }
    }

    /// NUMA nodes.
    pub const fn numa_nodes(&self) -> u32 {
        self.numa_nodes
    }

    /// Last-level caches in the whole machine.
    pub const fn llcs(&self) -> u32 {
        self.llcs
    }

    /// Last-level caches in each NUMA node.
    pub const fn llcs_per_node(&self) -> u32 {
        self.llcs / self.numa_nodes
    }

    /// Cores that share one last-level cache.
    pub const fn cores_per_llc(&self) -> u32 {
        self.cores_per_llc
    }

    /// SMT threads of each core.
    pub const fn threads_per_core(&self) -> u32 {
        self.threads_per_core
    }

    /// CPUs (hardware threads) that share one last-level cache.
    pub const fn cpus_per_llc(&self) -> u32 {
        self.cores_per_llc * self.threads_per_core
    }

    /// CPUs (hardware threads) in all.
    pub const fn cpus(&self) -> u32 {
        self.llcs * self.cpus_per_llc()
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { numa_nodes, llcs, cores_per_llc, threads_per_core } = self;
        write!(f, "{numa_nodes}n{llcs}l{cores_per_llc}c{threads_per_core}t")
    }
}

impl FromStr for Topology {
    type Err = TopologyError;

    fn from_str(text: &str) -> Result<Self, TopologyError> {
        let syntax = || TopologyError::Syntax(text.to_owned());
        let fields: Vec<&str> = if text.contains(',') {
            text.split(',').map(str::trim).collect()
        } else {
            text.strip_suffix('t').ok_or_else(syntax)?.split(['n', 'l', 'c']).collect()
        };
        let numbers: Vec<u32> =
            fields.iter().map(|f| f.parse()).collect::<Result<_, _>>().map_err(|_| syntax())?;
        let [n, l, c, t] = numbers[..] else { return Err(syntax()) };
        let topology = Self::new(n, l, c, t)?;
        let canonical = topology.to_string();
        // `1l2n4c1t` splits into four numbers too, but names the wrong levels.
        if text.contains(',') || canonical == text { Ok(topology) } else { Err(syntax()) }
    }
}

impl TryFrom<String> for Topology {
    type Error = TopologyError;

    fn try_from(text: String) -> Result<Self, TopologyError> {
        text.parse()
    }
}

impl From<Topology> for String {
    fn from(topology: Topology) -> Self {
        topology.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_cpus_of_every_level() {
        let topology = Topology::of(2, 8, 4, 2);
        assert_eq!(topology.cpus(), 64);
        assert_eq!(topology.cpus_per_llc(), 8);
        assert_eq!(topology.llcs_per_node(), 4);
    }

    #[test]
    fn refuses_what_is_no_machine() {
        assert_eq!(Topology::new(1, 0, 1, 1), Err(TopologyError::Zero { level: "llcs" }));
        assert_eq!(Topology::new(2, 3, 1, 1), Err(TopologyError::Uneven { llcs: 3, numa_nodes: 2 }));
        assert!(matches!(Topology::new(1, 64, 16, 2), Err(TopologyError::TooLarge { cpus: 2048, .. })));
        assert!(matches!(
            Topology::new(1, u32::MAX, u32::MAX, u32::MAX),
            Err(TopologyError::TooLarge { .. })
        ));
    }

    #[test]
    fn refuses_other_texts() {
        for text in ["", "1n2l4c", "1l2n4c1t", "1,2,4", "1,2,4,1,1", "anbl4c1t", "01n2l4c1t", "-1,2,4,1"] {
            assert!(matches!(text.parse::<Topology>(), Err(TopologyError::Syntax(_))), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn short_form_and_list_parse_back(n in 1u32..5, per_node in 1u32..5, c in 1u32..9, t in 1u32..3) {
            let topology = Topology::new(n, n * per_node, c, t).unwrap();
            prop_assert_eq!(topology.to_string().parse::<Topology>().unwrap(), topology);
            let list = format!("{n}, {}, {c}, {t}", n * per_node);
            prop_assert_eq!(list.parse::<Topology>().unwrap(), topology);
        }
    }
}
