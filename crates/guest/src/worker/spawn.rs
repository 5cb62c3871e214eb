//! From a description of workers to forked ones.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use ktstr_model::{CloneMode, CpuSet, WorkloadConfig};

use super::affinity;
use super::group::GroupPlan;
use super::kinds;
use super::mem_policy::KernelPolicy;
use super::member::Member;
use super::places::CpuPlaces;
use super::plausible;
use super::settings::Settings;
use super::team::{Team, command};
use crate::cgroup::Cgroup;
use crate::context::Ctx;
use crate::error::{GuestError, on_file, on_process};
use ktstr_model::SplitMix64;

/// What all workers of one call have in common.
pub(super) struct Spawn<'a> {
    pub ctx: &'a Ctx,
    pub cgroup: Option<&'a Cgroup>,
    pub config: &'a WorkloadConfig,
    /// Number of the first one in the run and in its cgroup.
    pub first_serial: u32,
    pub first_index: u32,
}

/// What workers of a cgroup may use.
struct Allowed {
    cpus: CpuSet,
    nodes: BTreeSet<usize>,
}

impl Spawn<'_> {
    /// Forks the workers and moves them into the cgroup, where they prepare themselves.
    ///
    /// # Errors
    /// When what is asked for makes no sense on this machine, or when the kernel refuses.
    pub(super) fn team(&self) -> Result<Team, GuestError> {
        let config = self.config;
        let allowed = self.allowed()?;
        let memory = plausible::check(config, &self.ctx.topo, &allowed.cpus, &allowed.nodes)?;
        self.cgroup.map_or(Ok(()), |cgroup| cgroup.check_room(config.tasks()))?;
        let places = Arc::new(CpuPlaces::of(&self.ctx.topo));
        let mut team = Team::new(config.num_workers)?;
        let mut together = Vec::new();
        let group_size = config.work_type.group_size();
        for first in (0..config.num_workers).step_by(group_size) {
            let plan = self.group_plan(first / group_size, group_size, &allowed);
            let works = kinds::members(&config.work_type, &plan)?;
            for (work, number) in works.into_iter().zip(first as u32..) {
                let mut random = SplitMix64::of_worker(self.ctx.seed(), self.first_serial + number);
                let settings = self.settings(&allowed, memory.clone(), &mut random)?;
                let member = Member {
                    work,
                    name: command(&self.name(number)),
                    settings,
                    random,
                    mode: self.ctx.mode(),
                    places: Arc::clone(&places),
                    numa: self.ctx.topo.nodes().len() > 1,
                };
                together.push(member);
                // At once, so that this process keeps no more than one group's descriptors.
                if config.clone_mode == CloneMode::Fork {
                    self.fork(&mut team, "", std::mem::take(&mut together))?;
                }
            }
        }
        if !together.is_empty() {
            self.fork(&mut team, &self.process_name(), together)?;
        }
        team.placed();
        Ok(team)
    }

    fn fork(&self, team: &mut Team, process: &str, members: Vec<Member>) -> Result<(), GuestError> {
        let pid = team.fork(process, members)?.as_raw_nonzero().get().unsigned_abs();
        self.cgroup.map_or(Ok(()), |cgroup| cgroup.add(pid))
    }

    fn group_plan<'a>(&'a self, number: usize, size: usize, allowed: &'a Allowed) -> GroupPlan<'a> {
        GroupPlan {
            number,
            size,
            mode: self.ctx.mode(),
            topology: &self.ctx.topo,
            cpus: &allowed.cpus,
            nodes: &allowed.nodes,
            cgroup: self.cgroup.map(Cgroup::path),
        }
    }

    fn settings(
        &self,
        allowed: &Allowed,
        memory: Option<KernelPolicy>,
        random: &mut SplitMix64,
    ) -> Result<Settings, GuestError> {
        let config = self.config;
        Ok(Settings {
            cpus: affinity::resolve(&config.affinity, &self.ctx.topo, &allowed.cpus, random)?,
            policy: config.sched_policy,
            nice: config.nice,
            memory,
            uid: config.uid,
            gid: config.gid,
        })
    }

    /// A worker's command: what was asked for, or where it is.
    fn name(&self, number: u32) -> String {
        match &self.config.comm {
            Some(comm) => comm.clone().into_owned(),
            None => place_name(self.cgroup.map_or("host", Cgroup::name), self.first_index + number),
        }
    }

    fn process_name(&self) -> String {
        match &self.config.pcomm {
            Some(pcomm) => pcomm.clone().into_owned(),
            None => place_name(self.cgroup.map_or("host", Cgroup::name), self.first_index),
        }
    }

    fn allowed(&self) -> Result<Allowed, GuestError> {
        let topology = &self.ctx.topo;
        let all = || Allowed {
            cpus: topology.cpus().clone(),
            nodes: topology.nodes().iter().map(|node| node.id as usize).collect(),
        };
        let Some(cgroup) = self.cgroup else { return Ok(all()) };
        let (cpus, nodes) = (effective(cgroup.path(), "cpus")?, effective(cgroup.path(), "mems")?);
        Ok(Allowed {
            cpus: cpus.unwrap_or_else(|| all().cpus),
            nodes: nodes
                .map_or_else(|| all().nodes, |nodes| nodes.iter().map(|node| node as usize).collect()),
        })
    }
}

/// What a cpuset comes to; `None` where the cgroup has no cpuset.
pub(super) fn effective(cgroup: &Path, what: &str) -> Result<Option<CpuSet>, GuestError> {
    let path = cgroup.join(format!("cpuset.{what}.effective"));
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(on_file("read", &path)(error)),
    };
    let content =
        |_| GuestError::Content { path: path.clone(), text: text.clone(), wanted: "a list of numbers" };
    text.parse().map(Some).map_err(content)
}

/// Asks for CPUs on behalf of a worker.
pub(super) fn set_affinity_of(tid: u32, cpus: &CpuSet) -> Result<(), GuestError> {
    let tid = i32::try_from(tid).ok().and_then(rustix::process::Pid::from_raw);
    rustix::thread::sched_setaffinity(tid, &super::settings::kernel_cpu_set(cpus))
        .map_err(on_process("set a worker's affinity"))
}

/// A command in 15 bytes: the end of the cgroup's name and the worker's place in it.
fn place_name(cgroup: &str, index: u32) -> String {
    let place = format!("/{index}");
    let mut from = (cgroup.len() + place.len()).saturating_sub(15);
    while !cgroup.is_char_boundary(from) {
        from += 1;
    }
    format!("{}{place}", &cgroup[from..])
}

#[cfg(test)]
mod tests {
    #[test]
    fn commands_keep_what_tells_workers_apart() {
        assert_eq!(super::place_name("cell_0", 3), "cell_0/3");
        assert_eq!(super::place_name("a_very_long_name_of_cell_12", 104), "_of_cell_12/104");
        assert_eq!(super::place_name("ééééééééé", 1), "éééééé/1");
    }
}
