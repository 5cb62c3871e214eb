//! `NumaWorkingSetSweep`: passes over memory whose pages are moved from NUMA node to NUMA node.

use std::collections::BTreeSet;

use ktstr_model::CpuSet;

use super::Members;
use crate::clock::monotonic_ns;
use crate::error::GuestError;
use crate::worker::bench::Bench;
use crate::worker::group::GroupPlan;
use crate::worker::mem_policy::move_to_node;
use crate::worker::private_memory::PrivateMemory;
use crate::worker::work::{Trouble, Work};

/// Bytes from one access to the next: a cache line.
const STRIDE: usize = 64;

struct NumaWorkingSetSweep {
    region_kb: usize,
    stay_ns: u64,
    nodes: Vec<usize>,
    next: usize,
    move_at_ns: u64,
    memory: Option<PrivateMemory>,
}

pub(super) fn members(
    region_kb: usize,
    period_ms: u64,
    targets: &[usize],
    plan: &GroupPlan<'_>,
) -> Result<Members, GuestError> {
    let nodes =
        nodes(targets, plan).map_err(|why| GuestError::WorkTypeUnfit { work: "NumaWorkingSetSweep", why })?;
    let stay_ns = period_ms.saturating_mul(1_000_000);
    let sweep = NumaWorkingSetSweep { region_kb, stay_ns, nodes, next: 0, move_at_ns: 0, memory: None };
    Ok(vec![Box::new(sweep)])
}

/// The nodes in order, or what is wrong with them.
fn nodes(targets: &[usize], plan: &GroupPlan<'_>) -> Result<Vec<usize>, String> {
    let has_memory = |node: &&usize| {
        let mut all = plan.topology.nodes().iter();
        all.any(|known| known.id as usize == **node && known.memory_kb.is_none_or(|kb| kb > 0))
    };
    let usable: BTreeSet<usize> = plan.nodes.iter().filter(has_memory).copied().collect();
    let list = |nodes: &BTreeSet<usize>| CpuSet::of(nodes.iter().copied()).to_string();
    if let Some(node) = targets.iter().find(|node| !usable.contains(node)) {
        return Err(format!(
            "target_nodes has {node}, which is not among the nodes with memory that the cgroup may use, {}",
            list(&usable)
        ));
    }
    let wanted = if targets.is_empty() { usable.clone() } else { targets.iter().copied().collect() };
    if wanted.len() < 2 {
        return Err(format!(
            "pages are moved between 2 or more NUMA nodes, and there is only {} to choose",
            list(&wanted)
        ));
    }
    Ok(if targets.is_empty() { usable.into_iter().collect() } else { targets.to_vec() })
}

impl Work for NumaWorkingSetSweep {
    fn prepare(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let memory = self.memory.insert(PrivateMemory::new(self.region_kb)?);
        (0..memory.pages()).for_each(|page| memory.touch(page));
        bench.working_set(memory);
        Ok(())
    }

    fn step(&mut self, _: &mut Bench<'_>) -> Result<(), Trouble> {
        let Some(memory) = &mut self.memory else { return Ok(()) };
        let now_ns = monotonic_ns();
        if now_ns >= self.move_at_ns {
            move_to_node(memory, self.nodes[self.next])?;
            self.next = (self.next + 1) % self.nodes.len();
            self.move_at_ns = now_ns.saturating_add(self.stay_ns);
        }
        for byte in memory.iter_mut().step_by(STRIDE) {
            *byte = std::hint::black_box(byte.wrapping_add(1));
        }
        Ok(())
    }
}
