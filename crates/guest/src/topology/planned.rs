//! A guest's topology as it will be, before there is a guest.

use ktstr_model::{CpuSet, Topology};

use super::{Llc, NumaNode, TestTopology};

/// What QEMU says of a last-level cache.
const LLC_KB: u64 = 16 << 10;

impl TestTopology {
    /// What a guest of this topology will see: CPUs are numbered by thread, core, LLC and node. How much of a node's memory
    /// the kernel keeps for itself is not known before.
    pub fn planned(topology: &Topology) -> Self {
        let (llcs, cpus) = (topology.llcs(), topology.cpus());
        let node_of = |llc: u32| llc / topology.llcs_per_node();
        let nodes = topology.memory_nodes();
        Self {
            cpus: (0..cpus).collect(),
            llcs: (0..llcs)
                .map(|llc| Llc {
                    cpus: group(llc, topology.cpus_per_llc()),
                    cores: cores(topology, llc * topology.cores_per_llc(), topology.cores_per_llc()),
                    size_kb: Some(LLC_KB),
                    node: Some(node_of(llc)),
                })
                .collect(),
            cores: cores(topology, 0, llcs * topology.cores_per_llc()),
            nodes: (0..nodes)
                .map(|id| NumaNode {
                    id,
                    cpus: match id < topology.numa_nodes() {
                        true => group(id, cpus / topology.numa_nodes()),
                        false => CpuSet::default(),
                    },
                    memory_kb: None,
                    distances: (0..nodes).map(|to| topology.distance(id, to)).collect(),
                })
                .collect(),
        }
    }
}

/// The `number`th group of so many CPUs.
fn group(number: u32, size: u32) -> CpuSet {
    (number * size..(number + 1) * size).collect()
}

fn cores(topology: &Topology, first: u32, count: u32) -> Vec<CpuSet> {
    (first..first + count).map(|core| group(core, topology.threads_per_core())).collect()
}
