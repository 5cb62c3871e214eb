//! The workers of one cgroup, as a test body holds them.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

use ktstr_model::{AffinityIntent, Allowance, Schedstat, WorkType, WorkerExit, WorkerReport, WorkloadConfig};

use super::affinity;
use super::allowance::Stays;
use super::spawn::{Spawn, effective, set_affinity_of};
use super::team::{Ended, Team};
use crate::cgroup::{Cgroup, limit_hits};
use crate::context::Ctx;
use crate::error::GuestError;
use ktstr_model::SplitMix64;

/// How long workers may take to prepare themselves before the others are let go without them: 2 s, and 20 ms for each.
const READY_NS: u64 = 2_000_000_000;
const READY_PER_WORKER_NS: u64 = 20_000_000;
/// How often the scheduler is looked after meanwhile.
const READY_SLICE_NS: u64 = 100_000_000;

/// Workers in one cgroup: forked, moved there, waiting at a gate until they are let go.
///
/// Dropping it stops and reaps them; what they did until then is still part of the run's report.
#[must_use = "workers end when their handle is dropped"]
pub struct WorkloadHandle<'ctx> {
    ctx: &'ctx Ctx,
    cgroup: String,
    folder: Option<PathBuf>,
    work: &'static str,
    first_serial: u32,
    first_index: u32,
    count: u32,
    affinity_changes: Cell<u64>,
    stays: Stays,
    team: Team,
}

impl<'ctx> WorkloadHandle<'ctx> {
    /// Forks `count` workers and moves them into `cgroup`, where they wait for [`start`](Self::start). They live at most
    /// as long as the calling thread.
    ///
    /// # Errors
    /// When `count` workers of this type make no sense, or when a worker cannot be forked or moved; none is left then.
    pub fn spawn(ctx: &'ctx Ctx, cgroup: &Cgroup, count: usize, work: WorkType) -> Result<Self, GuestError> {
        Self::make(ctx, Some(cgroup), &WorkloadConfig::of(work, count))
    }

    /// As [`spawn`](Self::spawn), with all that can be said of workers.
    ///
    /// # Errors
    /// As there, and when what is asked for does not exist on this machine or lies outside the cgroup's cpuset.
    pub fn spawn_config(
        ctx: &'ctx Ctx,
        cgroup: &Cgroup,
        config: &WorkloadConfig,
    ) -> Result<Self, GuestError> {
        Self::make(ctx, Some(cgroup), config)
    }

    /// As [`spawn_config`](Self::spawn_config), but outside of all cgroups of the test: where the test process is.
    ///
    /// # Errors
    /// As there.
    pub fn spawn_host(ctx: &'ctx Ctx, config: &WorkloadConfig) -> Result<Self, GuestError> {
        Self::make(ctx, None, config)
    }

    fn make(ctx: &'ctx Ctx, cgroup: Option<&Cgroup>, config: &WorkloadConfig) -> Result<Self, GuestError> {
        config.work_type.validate(config.num_workers)?;
        let name = cgroup.map_or("", Cgroup::name);
        let count = u32::try_from(config.num_workers)
            .map_err(|_| GuestError::WorkerCount { cgroup: name.to_owned(), count: config.num_workers })?;
        let (first_serial, first_index) = ctx.enroll(name, count);
        let team = Spawn { ctx, cgroup, config, first_serial, first_index }.team()?;
        let work = config.work_type.name();
        let folder = cgroup.map(|cgroup| cgroup.path().to_owned());
        Ok(Self {
            ctx,
            cgroup: name.to_owned(),
            folder,
            work,
            first_serial,
            first_index,
            count,
            affinity_changes: Cell::new(0),
            stays: Stays::begin(cgroup, config),
            team,
        })
    }

    /// Process ids of the workers, in order; of threads, that of their process.
    pub fn pids(&self) -> Vec<u32> {
        self.team.pids().collect()
    }

    /// Thread ids of the workers, in order. Those that have not begun their lives yet are left out.
    pub fn tids(&self) -> Vec<u32> {
        self.team.tids().map(|(_, tid)| tid).collect()
    }

    /// Thread ids of the workers that have begun their lives, each with its worker's number in the run.
    fn tids_by_serial(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.team.tids().map(|(place, tid)| (self.first_serial + place, tid))
    }

    /// The name of their cgroup; empty outside of all cgroups of the test.
    pub fn cgroup(&self) -> &str {
        &self.cgroup
    }

    /// Says that the workers are in another cgroup by now.
    pub(crate) fn moved_to(&mut self, cgroup: &Cgroup) {
        self.folder = Some(cgroup.path().to_owned());
        self.stays.move_to(cgroup);
    }

    /// Lets the workers go; everything counts from now on.
    pub fn start(&mut self) {
        self.start_settling(Duration::ZERO);
    }

    /// Lets the workers go once all are prepared; what they do while the scheduler settles does not count. A worker that
    /// the scheduler does not let prepare itself holds the others up for 2 s and 20 ms a worker, and its own gap begins
    /// with theirs.
    pub fn start_settling(&mut self, settle: Duration) {
        self.wait_until_ready();
        self.ctx.workers_began(self.tids_by_serial());
        self.team.start(u64::try_from(settle.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Waits until all workers are prepared; whether they are. With several handles: wait for all, then start each.
    pub fn wait_until_ready(&self) -> bool {
        let limit_ns = READY_NS + READY_PER_WORKER_NS * u64::from(self.count);
        for _ in 0..limit_ns.div_ceil(READY_SLICE_NS) {
            if self.team.wait_until_ready(READY_SLICE_NS) {
                return true;
            }
            if !self.ctx.scheduler_alive() {
                return false;
            }
        }
        false
    }

    /// Changes the CPUs that the workers ask for. [`AffinityIntent::Inherit`] asks for all.
    ///
    /// # Errors
    /// When these are CPUs that the machine does not have, or none that their cgroup may use.
    pub fn set_affinity(&self, intent: &AffinityIntent) -> Result<(), GuestError> {
        let change = self.affinity_changes.replace(self.affinity_changes.get() + 1);
        let cpuset = match &self.folder {
            Some(folder) => effective(folder, "cpus")?,
            None => None,
        };
        let cpuset = cpuset.as_ref().unwrap_or(self.ctx.topo.cpus());
        for (serial, tid) in self.tids_by_serial() {
            // Another stream for each change, so that it does not repeat an earlier choice.
            let stream = self.ctx.seed().rotate_left(32).wrapping_add(change);
            let mut random = SplitMix64::of_worker(stream, serial);
            let cpus = affinity::resolve(intent, &self.ctx.topo, cpuset, &mut random)?;
            set_affinity_of(tid, cpus.as_ref().unwrap_or(self.ctx.topo.cpus()))?;
        }
        Ok(())
    }

    /// Tells the workers to stop and does not wait. With several handles: stop all, then collect each, so that the last
    /// ones do not run on alone.
    pub fn stop(&mut self) {
        self.team.stop();
    }

    /// Tells the workers to stop, if that is still to be done, waits for them and says what each did. One that does not
    /// stop within 10 s of guest time is killed and reported as such.
    ///
    /// # Errors
    /// When a worker cannot be waited for.
    pub fn stop_and_collect(mut self) -> Result<Vec<WorkerReport>, GuestError> {
        self.collect()
    }

    fn collect(&mut self) -> Result<Vec<WorkerReport>, GuestError> {
        let allowed = self.stays.allowance(self.folder.as_deref(), &self.ctx.topo);
        let ended = self.team.collect()?;
        let numbered = ended.iter().zip(self.first_index..);
        let mut reports: Vec<WorkerReport> =
            numbered.map(|(ended, index)| self.report(ended, index, &allowed)).collect();
        let lost =
            |report: &&mut WorkerReport| matches!(report.exit, WorkerExit::Died(_) | WorkerExit::Failed(_));
        for report in reports.iter_mut().filter(lost) {
            report.notes.extend(self.folder.as_deref().map(limit_hits).unwrap_or_default());
        }
        self.ctx.record_workers(self.first_serial, &reports);
        Ok(reports)
    }

    fn report(&self, ended: &Ended, index: u32, allowed: &Allowance) -> WorkerReport {
        let record = &ended.record;
        let progress = &record.progress;
        let (events, event_stride) = progress.events();
        let (llc_migrations, node_migrations) = progress.crossings();
        let [cpu_ns, run_delay_ns, timeslices] = record.schedstat;
        let pages = record.numa_pages.iter().zip(0u32..).filter(|(pages, _)| **pages > 0);
        WorkerReport {
            cgroup: self.cgroup.clone(),
            index,
            pid: ended.tid,
            work: self.work.to_owned(),
            work_units: progress.units(),
            course: progress.course(),
            iterations: record.iterations,
            cpu_ns: ended.cpu_ns,
            wall_ns: ended.wall_ns,
            max_gap: progress.max_gap(),
            migrations: progress.migrations(),
            llc_migrations,
            node_migrations,
            migration_log: progress.migration_log().to_vec(),
            cpus: progress.cpus(),
            allowed: allowed.clone(),
            exit: ended.exit.clone(),
            wake_latencies: record.wake_latencies.sample(progress.began_ns()),
            iteration_costs: record.iteration_costs.sample(progress.began_ns()),
            schedstat: (record.has_schedstat == 1).then_some(Schedstat { cpu_ns, run_delay_ns, timeslices }),
            numa_pages: pages.map(|(pages, node)| (node, u64::from(*pages))).collect(),
            numa_pages_migrated: record.numa_pages_migrated,
            turn_ns: self.ctx.turn_ns(),
            notes: record.remark.get().into_iter().collect(),
            events: events.to_vec(),
            event_stride,
        }
    }
}

impl Drop for WorkloadHandle<'_> {
    fn drop(&mut self) {
        // Workers that were never let go have nothing to report.
        if self.team.at_work()
            && let Err(error) = self.collect()
        {
            eprintln!("ktstr: workers of {} are missing from the report: {error}", self.cgroup);
        }
    }
}
