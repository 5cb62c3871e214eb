//! The workers of one cgroup, as a test body holds them.

use std::time::Duration;

use ktstr_model::{WorkType, WorkerReport};

use super::random::SplitMix64;
use super::spin_wait::{self, Pace};
use super::team::{Ended, Team};
use crate::cgroup::Cgroup;
use crate::context::Ctx;
use crate::error::GuestError;

/// Workers in one cgroup: forked, moved there, waiting at a gate until they are let go.
///
/// Dropping it stops and reaps them; what they did until then is still part of the run's report.
#[must_use = "workers end when their handle is dropped"]
pub struct WorkloadHandle<'ctx> {
    ctx: &'ctx Ctx,
    cgroup: String,
    work: WorkType,
    first_serial: u32,
    first_index: u32,
    team: Team,
}

impl<'ctx> WorkloadHandle<'ctx> {
    /// Forks `count` workers and moves them into `cgroup`, where they wait for [`start`](Self::start). They live at most
    /// as long as the calling thread.
    ///
    /// # Errors
    /// When `count` is zero, or when a worker cannot be forked or moved; none is left then.
    pub fn spawn(ctx: &'ctx Ctx, cgroup: &Cgroup, count: usize, work: WorkType) -> Result<Self, GuestError> {
        let count = match u32::try_from(count) {
            Ok(count) if count > 0 => count,
            _ => return Err(GuestError::WorkerCount { cgroup: cgroup.name().to_owned(), count }),
        };
        let mut team = Team::new(count as usize)?;
        let (first_serial, first_index) = ctx.enroll(cgroup.name(), count);
        for number in 0..count {
            let random = SplitMix64::of_worker(ctx.seed(), first_serial + number);
            let name = command(cgroup.name(), first_index + number);
            let pid = match work {
                WorkType::SpinWait => {
                    let pace = Pace::new(ctx.mode(), random);
                    team.fork(&name, |control, record| spin_wait::run(control, record, pace))?
                }
                _ => return Err(GuestError::WorkTypeUnknown(work)),
            };
            cgroup.add(pid.as_raw_nonzero().get().unsigned_abs())?;
        }
        Ok(Self { ctx, cgroup: cgroup.name().to_owned(), work, first_serial, first_index, team })
    }

    /// Process ids of the workers, in order.
    pub fn pids(&self) -> Vec<u32> {
        self.team.pids().collect()
    }

    /// Lets the workers go; everything counts from now on.
    pub fn start(&mut self) {
        self.team.start(0);
    }

    /// Lets the workers go; what they do while the scheduler settles does not count.
    pub fn start_settling(&mut self, settle: Duration) {
        self.team.start(u64::try_from(settle.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Tells the workers to stop and does not wait. With several handles: stop all, then collect each, so that the last
    /// ones do not run on alone.
    pub fn stop(&mut self) {
        self.team.stop();
    }

    /// Tells the workers to stop, if that is still to be done, waits for them and says what each did. One that does not
    /// stop within 5 s of guest time is killed and reported as such.
    ///
    /// # Errors
    /// When a worker cannot be waited for.
    pub fn stop_and_collect(mut self) -> Result<Vec<WorkerReport>, GuestError> {
        self.collect()
    }

    fn collect(&mut self) -> Result<Vec<WorkerReport>, GuestError> {
        let ended = self.team.collect()?;
        let reports: Vec<WorkerReport> =
            ended.iter().zip(self.first_index..).map(|(ended, index)| self.report(ended, index)).collect();
        self.ctx.record_workers(self.first_serial, &reports);
        Ok(reports)
    }

    fn report(&self, ended: &Ended, index: u32) -> WorkerReport {
        let progress = &ended.record.progress;
        let (events, event_stride) = progress.events();
        WorkerReport {
            cgroup: self.cgroup.clone(),
            index,
            pid: ended.pid,
            work: self.work,
            work_units: progress.units(),
            cpu_ns: ended.cpu_ns,
            wall_ns: ended.wall_ns,
            max_gap: progress.max_gap(),
            migrations: progress.migrations(),
            cpus: progress.cpus(),
            exit: ended.exit,
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

/// A worker's command in 15 bytes: the end of the cgroup's name and the worker's place in it.
fn command(cgroup: &str, index: u32) -> String {
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
        assert_eq!(super::command("cell_0", 3), "cell_0/3");
        assert_eq!(super::command("a_very_long_name_of_cell_12", 104), "_of_cell_12/104");
        assert_eq!(super::command("ééééééééé", 1), "éééééé/1");
    }
}
