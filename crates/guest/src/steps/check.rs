//! Whether a plan makes sense, before anything is made: it is gone through with names and sets instead of cgroups and
//! CPUs.

use std::collections::{BTreeMap, BTreeSet};

use ktstr_model::{
    CgroupDef, CpuSet, Limit, PayloadOrder, WorkType, WorkloadConfig, cgroup_name, shown_name,
};

use super::plan::{Part, Plan, wrong};
use crate::error::GuestError;
use crate::topology::TestTopology;
use crate::worker::plausible;

mod ops;
mod payloads;

use payloads::Started;

/// What a plan is checked against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given<'a> {
    pub topo: &'a TestTopology,
    pub usual_workers: usize,
    pub work_type_override: Option<&'a WorkType>,
    /// The external programs that were brought along.
    pub payloads: &'a [PayloadOrder],
    /// Whether CPUs may be taken off line: those of a guest may.
    pub hotplug: bool,
}

/// Goes through a plan.
///
/// # Errors
/// With the first part of it that makes no sense.
pub(super) fn check(plan: &Plan, given: Given<'_>) -> Result<(), GuestError> {
    let mut world = World::new(given);
    plan.parts.iter().try_for_each(|part| world.pass(part))
}

/// What there would be at some point of the plan.
#[derive(Debug)]
struct World<'a> {
    given: Given<'a>,
    cells: BTreeMap<String, CellState>,
    /// Cgroups that are gone, and how.
    gone: BTreeMap<String, String>,
    payloads: Vec<Started>,
    offline: BTreeSet<u32>,
}

#[derive(Debug, Default)]
struct CellState {
    lasting: bool,
    cpus: Option<CpuSet>,
    nodes: Option<BTreeSet<usize>>,
    pids_max: Option<u64>,
    /// Tasks of workers that are there until the scenario ends.
    lasting_tasks: u64,
    /// Those that are there until the step ends.
    step_tasks: u64,
}

type Checked<T = ()> = Result<T, String>;

fn words(error: impl ToString) -> String {
    error.to_string()
}

impl<'a> World<'a> {
    fn new(given: Given<'a>) -> Self {
        Self {
            given,
            cells: BTreeMap::new(),
            gone: BTreeMap::new(),
            payloads: Vec::new(),
            offline: BTreeSet::new(),
        }
    }

    fn pass(&mut self, part: &Part) -> Result<(), GuestError> {
        for def in &part.defs {
            let place = format!("{}, cgroup {}", part.title, shown_name(&def.name));
            self.define(part, def).map_err(|why| wrong(place, why))?;
        }
        for payload in &part.payloads {
            let place = format!("{}, payload {}", part.title, payload.name);
            self.start_payload(part, payload, None).map_err(|why| wrong(place, why))?;
        }
        // What a second round does to what the first one left shows what all others do.
        for round in 0..part.hold.rounds().min(2) {
            for (index, op) in part.ops.iter().enumerate() {
                let mut place = part.place_of(index, op);
                if round > 0 {
                    place += ", when it is repeated";
                }
                self.act(part, op).map_err(|why| wrong(place, why))?;
            }
        }
        self.end(part);
        Ok(())
    }

    fn end(&mut self, part: &Part) {
        if part.lasting {
            return;
        }
        let ending = self.cells.iter().filter(|(_, cell)| !cell.lasting);
        let how = format!("it went when {} was over", part.title);
        self.gone.extend(ending.map(|(name, _)| (name.clone(), how.clone())));
        self.cells.retain(|_, cell| cell.lasting);
        let cells = &self.cells;
        let stays = |cell: &Option<String>| cell.as_ref().is_none_or(|cell| cells.contains_key(cell));
        self.payloads.retain(|running| running.lasting && stays(&running.cell));
        self.cells.values_mut().for_each(|cell| cell.step_tasks = 0);
    }

    fn define(&mut self, part: &Part, def: &CgroupDef) -> Checked {
        self.add(part, &def.name)?;
        def.limits.files().map_err(words)?;
        let (cpus, nodes) = confinement(self.given.topo, def).map_err(words)?;
        let nodes_there = self.nodes();
        if let Some(nodes) = &nodes {
            let absent: Vec<String> = nodes.difference(&nodes_there).map(usize::to_string).collect();
            if nodes.is_empty() || !absent.is_empty() {
                return Err(format!(
                    "its memory is to be on NUMA nodes {nodes:?}; the machine has {nodes_there:?}"
                ));
            }
        }
        let pids_max = match def.limits.pids_max {
            Some(Limit::At(most)) => Some(most),
            Some(Limit::Unlimited) | None => None,
        };
        let cell = CellState { lasting: part.lasting, cpus, nodes, pids_max, ..CellState::default() };
        let workers = def.workloads(self.given.usual_workers, self.given.work_type_override);
        for config in &workers {
            self.check_workers(Some(&cell), config)?;
        }
        self.cells.insert(def.name.to_string(), cell);
        for config in &workers {
            self.take_in(part, &def.name, config)?;
        }
        def.payloads.iter().try_for_each(|payload| self.start_payload(part, payload, Some(&def.name)))
    }

    fn add(&mut self, part: &Part, name: &str) -> Checked {
        if name.contains('/') {
            return Err(format!(
                "`{name}` is no name for a cgroup of a scenario (it has a slash): these have no levels; for nested ones \
                 use `ctx.cgroups.create`"
            ));
        }
        cgroup_name(name).map_err(words)?;
        if self.cells.contains_key(name) {
            return Err(format!("there is a cgroup {name} already; give each a name of its own"));
        }
        self.gone.remove(name);
        self.cells.insert(name.to_owned(), CellState { lasting: part.lasting, ..CellState::default() });
        Ok(())
    }

    fn cell(&mut self, name: &str) -> Checked<&mut CellState> {
        if let Some(how) = self.gone.get(name) {
            return Err(format!("there is no cgroup {name} any more: {how}"));
        }
        if !self.cells.contains_key(name) {
            let there: Vec<&str> = self.cells.keys().map(String::as_str).collect();
            let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
            return Err(format!("there is no cgroup {name}; there are: {there}"));
        }
        self.cells.get_mut(name).ok_or_else(String::new)
    }

    fn check_workers(&self, cell: Option<&CellState>, config: &WorkloadConfig) -> Checked {
        let topo = self.given.topo;
        let cpus = cell.and_then(|cell| cell.cpus.as_ref()).unwrap_or(topo.cpus());
        let nodes = cell.and_then(|cell| cell.nodes.clone()).unwrap_or_else(|| self.nodes());
        plausible::check(config, topo, cpus, &nodes).map(drop).map_err(words)
    }

    /// These workers are in the cgroup from now on.
    fn take_in(&mut self, part: &Part, name: &str, config: &WorkloadConfig) -> Checked {
        let tasks = config.tasks();
        let (lasting, of_step) = if part.lasting { (tasks, 0) } else { (0, tasks) };
        self.cell(name)?.take_in(name, lasting, of_step)
    }

    fn nodes(&self) -> BTreeSet<usize> {
        self.given.topo.nodes().iter().map(|node| node.id as usize).collect()
    }
}

impl CellState {
    fn tasks(&self) -> u64 {
        self.lasting_tasks.saturating_add(self.step_tasks)
    }

    fn take_in(&mut self, name: &str, lasting: u64, of_step: u64) -> Checked {
        let (there, more) = (self.tasks(), lasting.saturating_add(of_step));
        if let Some(limit) = self.pids_max.filter(|limit| there.saturating_add(more) > *limit) {
            return Err(words(GuestError::CgroupFull { cgroup: name.to_owned(), limit, there, more }));
        }
        self.lasting_tasks = self.lasting_tasks.saturating_add(lasting);
        self.step_tasks = self.step_tasks.saturating_add(of_step);
        Ok(())
    }
}

/// The CPUs and the NUMA nodes that a cgroup is confined to.
///
/// # Errors
/// When the machine does not have them.
pub(super) fn confinement(
    topo: &TestTopology,
    def: &CgroupDef,
) -> Result<(Option<CpuSet>, Option<BTreeSet<usize>>), GuestError> {
    let of_node = def.numa_node.map(ktstr_model::CpusetSpec::Numa);
    let cpus = def.cpuset.as_ref().or(of_node.as_ref()).map(|spec| topo.resolve(spec)).transpose()?;
    let nodes = def.cpuset_mems.clone().or_else(|| def.numa_node.map(|node| BTreeSet::from([node])));
    Ok((cpus, nodes))
}

#[cfg(test)]
mod tests;
