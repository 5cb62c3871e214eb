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
/// Written `1n2l4c1t`: one NUMA node, two LLCs *in total*, four cores per LLC, one thread per core. NUMA nodes that have
/// memory and no CPUs come after that: `1n2l4c1t+1m` has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Topology {
    numa_nodes: u32,
    llcs: u32,
    cores_per_llc: u32,
    threads_per_core: u32,
    memory_only_nodes: u32,
}

/// The largest number of NUMA nodes that a topology may have, with those that have memory only.
const MAX_NODES: u32 = 64;

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
    /// More NUMA nodes than a machine can have.
    #[error("{nodes} NUMA nodes with those of memory only: the most there can be are 64")]
    TooManyNodes {
        /// All NUMA nodes.
        nodes: u32,
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
        let topology = Self { numa_nodes, llcs, cores_per_llc, threads_per_core, memory_only_nodes: 0 };
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
        Self { numa_nodes, llcs, cores_per_llc, threads_per_core, memory_only_nodes: 0 }
    }

    /// This topology with so many NUMA nodes that have memory and no CPUs; the machine's memory is shared out over all
    /// nodes.
    ///
    /// # Panics
    /// When there would be more than 64 nodes in all; in a constant that stops compilation.
    #[track_caller]
    #[must_use]
    pub const fn with_memory_only_nodes(mut self, count: u32) -> Self {
        let nodes = self.numa_nodes.saturating_add(count);
        assert!(count == 0 || nodes <= MAX_NODES, "the most NUMA nodes there can be are 64");
        self.memory_only_nodes = count;
        self
    }

    /// NUMA nodes that have memory and no CPUs. Their numbers follow those of the others.
    pub const fn memory_only_nodes(&self) -> u32 {
        self.memory_only_nodes
    }

    /// NUMA nodes that have memory: all.
    pub const fn memory_nodes(&self) -> u32 {
        self.numa_nodes + self.memory_only_nodes
    }

    /// The distance between two NUMA nodes as the firmware tells it (ACPI's SLIT): 10 within a node, 20 between nodes
    /// with CPUs, 30 to and from one of memory only.
    pub const fn distance(&self, from: u32, to: u32) -> u32 {
        match from == to {
            true => 10,
            false if from >= self.numa_nodes || to >= self.numa_nodes => 30,
            false => 20,
        }
    }

    /// NUMA nodes that have CPUs.
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
        let Self { numa_nodes, llcs, cores_per_llc, threads_per_core, memory_only_nodes } = self;
        write!(f, "{numa_nodes}n{llcs}l{cores_per_llc}c{threads_per_core}t")?;
        match memory_only_nodes {
            0 => Ok(()),
            nodes => write!(f, "+{nodes}m"),
        }
    }
}

impl FromStr for Topology {
    type Err = TopologyError;

    fn from_str(text: &str) -> Result<Self, TopologyError> {
        let syntax = || TopologyError::Syntax(text.to_owned());
        let (levels, memory_only) = text.split_once('+').unwrap_or((text, "0m"));
        let fields: Vec<&str> = if text.contains(',') {
            text.split(',').map(str::trim).collect()
        } else {
            levels.strip_suffix('t').ok_or_else(syntax)?.split(['n', 'l', 'c']).collect()
        };
        let numbers: Vec<u32> =
            fields.iter().map(|f| f.parse()).collect::<Result<_, _>>().map_err(|_| syntax())?;
        let [n, l, c, t] = numbers[..] else { return Err(syntax()) };
        let memory_only =
            memory_only.strip_suffix('m').and_then(|count| count.parse().ok()).ok_or_else(syntax)?;
        let nodes = n.saturating_add(memory_only);
        if memory_only > 0 && nodes > MAX_NODES {
            return Err(TopologyError::TooManyNodes { nodes });
        }
        let topology = Self::new(n, l, c, t)?.with_memory_only_nodes(memory_only);
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
    fn memory_only_nodes_come_last_and_are_far() {
        let topology: Topology = "2n2l2c1t+1m".parse().unwrap();
        assert_eq!((topology.numa_nodes(), topology.memory_nodes(), topology.cpus()), (2, 3, 4));
        let distances: Vec<u32> = (0..3).map(|to| topology.distance(1, to)).collect();
        assert_eq!(distances, [20, 10, 30]);
        assert_eq!("1n1l1c1t+64m".parse::<Topology>(), Err(TopologyError::TooManyNodes { nodes: 65 }));
    }

    #[test]
    fn refuses_other_texts() {
        for text in [
            "",
            "1n2l4c",
            "1n2l4c1t+",
            "1n2l4c1t+0m",
            "1n2l4c1t+1",
            "1n2l4c1t+m",
            "1l2n4c1t",
            "1,2,4",
            "1,2,4,1,1",
            "anbl4c1t",
            "01n2l4c1t",
            "-1,2,4,1",
        ] {
            assert!(matches!(text.parse::<Topology>(), Err(TopologyError::Syntax(_))), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn short_form_and_list_parse_back(
            n in 1u32..5, per_node in 1u32..5, c in 1u32..9, t in 1u32..3, memory_only in 0u32..4,
        ) {
            let slow = Topology::of(n, n * per_node, c, t).with_memory_only_nodes(memory_only);
            prop_assert_eq!(slow.to_string().parse::<Topology>().unwrap(), slow);
            let topology = Topology::new(n, n * per_node, c, t).unwrap();
            prop_assert_eq!(topology.to_string().parse::<Topology>().unwrap(), topology);
            let list = format!("{n}, {}, {c}, {t}", n * per_node);
            prop_assert_eq!(list.parse::<Topology>().unwrap(), topology);
        }
    }
}
