//! `NumaMigrationChurn`: moves from NUMA node to NUMA node with its memory left behind.

use std::time::Duration;

use ktstr_model::CpuSet;

use super::Members;
use crate::clock::monotonic_ns;
use crate::error::GuestError;
use crate::worker::bench::{Bench, ns_from_now};
use crate::worker::group::GroupPlan;
use crate::worker::private_memory::PrivateMemory;
use crate::worker::settings::set_affinity;
use crate::worker::work::{Trouble, Work};

const MEMORY_KB: usize = 1024;

struct NumaMigrationChurn {
    stay: Duration,
    /// The CPUs of each node that the worker may use.
    nodes: Vec<CpuSet>,
    next: usize,
    memory: Option<PrivateMemory>,
    page: usize,
}

pub(super) fn members(period_ms: u64, plan: &GroupPlan<'_>) -> Result<Members, GuestError> {
    let nodes = plan.topology.nodes().iter().map(|node| node.cpus.intersection(plan.cpus));
    let nodes: Vec<CpuSet> = nodes.filter(|cpus| !cpus.is_empty()).collect();
    if nodes.len() < 2 {
        let why = format!(
            "it moves between NUMA nodes, and CPUs {} are all on one; give the machine, or the cpuset, CPUs of 2 or more",
            plan.cpus
        );
        return Err(GuestError::WorkTypeUnfit { work: "NumaMigrationChurn", why });
    }
    let stay = Duration::from_millis(period_ms);
    Ok(vec![Box::new(NumaMigrationChurn { stay, nodes, next: 1, memory: None, page: 0 })])
}

impl Work for NumaMigrationChurn {
    /// On the first node, which is so the one that has the memory, unless the worker's memory policy says otherwise.
    fn prepare(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        set_affinity(&self.nodes[0])?;
        let memory = self.memory.insert(PrivateMemory::new(MEMORY_KB)?);
        (0..memory.pages()).for_each(|page| memory.touch(page));
        bench.working_set(memory);
        Ok(())
    }

    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        set_affinity(&self.nodes[self.next])?;
        self.next = (self.next + 1) % self.nodes.len();
        let Some(memory) = &mut self.memory else { return Ok(()) };
        let end_ns = ns_from_now(self.stay);
        while monotonic_ns() < end_ns && !bench.stopped() {
            memory.touch(self.page);
            self.page = (self.page + 1) % memory.pages();
            bench.spin(16);
        }
        Ok(())
    }
}
