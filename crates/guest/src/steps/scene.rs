//! The cgroups, workers and CPUs of a scenario while it is played.

use ktstr_model::{AssertResult, CgroupDef, CpuSet, Payload, Stimulus, WorkerReport, WorkloadConfig};

use super::check::confinement;
use super::plan::wrong;
use crate::cgroup::Cgroup;
use crate::clock::monotonic_ns;
use crate::context::Ctx;
use crate::error::GuestError;
use crate::hotplug::OfflineCpus;
use crate::worker::WorkloadHandle;

mod cgroups;
mod cpusets;
mod ops;
mod payloads;
mod workers;

use payloads::Running;

/// What there is of a scenario. Dropping it stops the workers, removes the cgroups, and brings the CPUs back on line.
pub(super) struct Scene<'ctx> {
    ctx: &'ctx Ctx,
    // Before the cgroups, so that workers are stopped before whatever is left there is killed.
    crews: Vec<Crew<'ctx>>,
    payloads: Vec<Running<'ctx>>,
    cells: Vec<Cell>,
    offline: OfflineCpus,
    /// Whether what is made now lasts until the scenario ends.
    lasting: bool,
    finished: Finished,
    /// What external programs did wrong.
    found: AssertResult,
}

/// A cgroup.
struct Cell {
    name: String,
    cgroup: Cgroup,
    cpus: Option<CpuSet>,
    frozen: bool,
    lasting: bool,
}

/// Workers that were made together, and where they are.
struct Crew<'ctx> {
    /// `None` outside of all cgroups of the test.
    cell: Option<String>,
    lasting: bool,
    handle: WorkloadHandle<'ctx>,
}

/// Reports of workers that were stopped.
#[derive(Default)]
struct Finished {
    lasting: Vec<WorkerReport>,
    of_step: Vec<WorkerReport>,
}

impl<'ctx> Scene<'ctx> {
    pub(super) fn new(ctx: &'ctx Ctx) -> Self {
        Self {
            ctx,
            crews: Vec::new(),
            payloads: Vec::new(),
            cells: Vec::new(),
            offline: OfflineCpus::default(),
            lasting: false,
            finished: Finished::default(),
            found: AssertResult::pass(),
        }
    }

    /// From now on what is made lasts until the scenario ends, or until the step does.
    pub(super) fn lasting(&mut self, lasting: bool) {
        self.lasting = lasting;
    }

    /// Does something and takes down when.
    pub(super) fn record<T>(
        &mut self,
        place: &str,
        what: &str,
        act: impl FnOnce(&mut Self) -> Result<T, GuestError>,
    ) -> Result<T, GuestError> {
        let began_ns = monotonic_ns();
        let done = act(self).map_err(|error| wrong(format!("{place} ({what})"), error))?;
        self.ctx.record_stimulus(Stimulus {
            began_ns,
            ended_ns: monotonic_ns(),
            place: place.to_owned(),
            what: what.to_owned(),
        });
        Ok(done)
    }

    /// Makes cgroups with their workers, all of which begin to work at the same time, and starts external programs beside
    /// them: those of the cgroups, and `payloads` outside of all.
    pub(super) fn set_up(
        &mut self,
        defs: &[CgroupDef],
        payloads: &[&'static Payload],
    ) -> Result<(), GuestError> {
        let first = self.crews.len();
        for def in defs {
            self.make(def)?;
        }
        for crew in &self.crews[first..] {
            crew.handle.wait_until_ready();
        }
        for crew in &mut self.crews[first..] {
            crew.handle.start_settling(self.ctx.settle);
        }
        for def in defs {
            let mut payloads = def.payloads.iter();
            payloads.try_for_each(|payload| self.run_payload(payload, &[], Some(&def.name)))?;
        }
        payloads.iter().try_for_each(|payload| self.run_payload(payload, &[], None))
    }

    fn make(&mut self, def: &CgroupDef) -> Result<(), GuestError> {
        let of_cgroup = |error: GuestError| wrong(format!("cgroup {}", def.name), error);
        let (cpus, nodes) = confinement(&self.ctx.topo, def).map_err(of_cgroup)?;
        let cell = self.add_cgroup(&def.name).map_err(of_cgroup)?;
        // Memory first: both together would be refused where the level above has been narrowed meanwhile.
        if let Some(nodes) = &nodes {
            cell.cgroup.set_mems(nodes)?;
        }
        if let Some(cpus) = cpus {
            cell.cgroup.set_cpus(&cpus)?;
            cell.cpus = Some(cpus);
        }
        cell.cgroup.apply(&def.limits)?;
        for config in def.workloads(self.ctx.workers_per_cgroup, self.ctx.work_type_override.as_ref()) {
            self.spawn(Some(&def.name), &config).map_err(of_cgroup)?;
        }
        Ok(())
    }

    /// Makes workers, who wait at their gate.
    fn spawn(&mut self, cell: Option<&str>, config: &WorkloadConfig) -> Result<(), GuestError> {
        let handle = match cell {
            Some(name) => WorkloadHandle::spawn_config(self.ctx, &self.cell(name)?.cgroup, config)?,
            None => WorkloadHandle::spawn_host(self.ctx, config)?,
        };
        self.crews.push(Crew { cell: cell.map(str::to_owned), lasting: self.lasting, handle });
        Ok(())
    }

    /// Ends what a step made: workers first, then external programs, then cgroups. What its workers did.
    pub(super) fn end_step(&mut self) -> Result<Vec<WorkerReport>, GuestError> {
        let ending: Vec<String> = self.names(|cell| !cell.lasting);
        let ends = |lasting: bool, cell: &Option<String>| {
            !lasting || cell.as_ref().is_some_and(|cell| ending.contains(cell))
        };
        self.stop_crews(|crew| ends(crew.lasting, &crew.cell))?;
        self.stop_payloads(|running| ends(running.lasting, &running.cell))?;
        for name in &ending {
            self.remove_cgroup(name)?;
        }
        Ok(std::mem::take(&mut self.finished.of_step))
    }

    /// Ends all, and brings the CPUs back on line. What the lasting workers did.
    pub(super) fn end(&mut self) -> Result<Vec<WorkerReport>, GuestError> {
        self.stop_crews(|_| true)?;
        self.stop_payloads(|_| true)?;
        for name in self.names(|_| true) {
            self.remove_cgroup(&name)?;
        }
        self.offline.bring_back()?;
        Ok(std::mem::take(&mut self.finished.lasting))
    }

    fn names(&self, which: impl Fn(&Cell) -> bool) -> Vec<String> {
        self.cells.iter().filter(|cell| which(cell)).map(|cell| cell.name.clone()).collect()
    }

    fn cell(&mut self, name: &str) -> Result<&mut Cell, GuestError> {
        let there = self.cells.iter().map(|cell| cell.name.as_str()).collect::<Vec<_>>().join(", ");
        let cell = self.cells.iter_mut().find(|cell| cell.name == name);
        cell.ok_or(GuestError::CgroupUnknown { name: name.to_owned(), there })
    }
}

impl Drop for Scene<'_> {
    fn drop(&mut self) {
        // Frozen workers would not notice that they are to stop.
        for cell in self.cells.iter().filter(|cell| cell.frozen) {
            drop(cell.cgroup.unfreeze());
        }
    }
}
