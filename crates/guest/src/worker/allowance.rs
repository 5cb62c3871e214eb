//! What the workers of a handle were allowed to use, from their beginning to their end.

use std::sync::Arc;

use ktstr_model::{Allowance, CpuSet, MpolFlags, WorkloadConfig};

use super::spawn::effective;
use crate::cgroup::{Cgroup, CpusetHistory};
use crate::topology::TestTopology;

/// The cgroups that workers have been in, and the nodes that their memory policy names.
pub(super) struct Stays {
    stays: Vec<Stay>,
    policy_nodes: CpuSet,
    /// Their nodes are counted within their cpuset, so nobody here knows which they are.
    relative: bool,
}

/// A time in one cgroup: which of its cpusets were in force.
struct Stay {
    cpusets: Arc<CpusetHistory>,
    from: usize,
    until: Option<usize>,
}

impl Stays {
    /// Workers that begin in `cgroup`, or outside of all cgroups of the test.
    pub(super) fn begin(cgroup: Option<&Cgroup>, config: &WorkloadConfig) -> Self {
        let mut stays = Self {
            stays: Vec::new(),
            policy_nodes: CpuSet::of(config.mem_policy.nodes()),
            relative: config.mpol_flags.contains(MpolFlags::RELATIVE_NODES),
        };
        if let Some(cgroup) = cgroup {
            stays.move_to(cgroup);
        }
        stays
    }

    /// They are in another cgroup from now on.
    pub(super) fn move_to(&mut self, cgroup: &Cgroup) {
        if let Some(last) = self.stays.last_mut() {
            last.until = Some(last.cpusets.look());
        }
        let cpusets = Arc::clone(cgroup.cpusets());
        let from = cpusets.look();
        self.stays.push(Stay { cpusets, from, until: None });
    }

    /// What they were allowed to use up to now.
    pub(super) fn allowance(&self, cgroup: Option<&std::path::Path>, topology: &TestTopology) -> Allowance {
        let cpus = match &self.stays[..] {
            [] => topology.cpus().clone(),
            stays => stays.iter().fold(CpuSet::default(), |all, stay| {
                let until = stay.until.unwrap_or_else(|| stay.cpusets.look());
                all.union(&stay.cpusets.between(stay.from, until))
            }),
        };
        let mems = cgroup.and_then(|folder| effective(folder, "mems").ok().flatten());
        Allowance {
            home_nodes: self.home_nodes(&cpus, mems.as_ref(), topology),
            cpus,
            memory_only_nodes: topology.memory_only_nodes().map(|node| node.id).collect(),
        }
    }

    fn home_nodes(&self, cpus: &CpuSet, mems: Option<&CpuSet>, topology: &TestTopology) -> CpuSet {
        if self.relative {
            return CpuSet::default();
        }
        if !self.policy_nodes.is_empty() {
            return self.policy_nodes.clone();
        }
        let near: CpuSet = cpus.iter().filter_map(|cpu| topology.node_of(cpu)).collect();
        match mems {
            None => near,
            Some(mems) if near.intersection(mems).is_empty() => mems.clone(),
            Some(mems) => near.intersection(mems),
        }
    }
}
