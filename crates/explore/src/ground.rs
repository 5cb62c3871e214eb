//! What the plain run teaches about a test, so that perturbations fall where something happens.

use ktstr_model::RunReport;

/// Where strategies work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ground {
    /// The machine's CPUs.
    pub cpus: u32,
    /// Workers that the test has in all.
    pub workers: u32,
    /// How long the test's body runs, in nanoseconds of guest time.
    pub body_ns: u64,
    /// How long the workload is to run, in nanoseconds of guest time.
    pub duration_ns: u64,
}

impl Ground {
    /// What is known of a test whose plain run left no report: twice the workload's time for the body, and a worker for
    /// each CPU.
    pub fn without_report(cpus: u32, duration_ns: u64) -> Self {
        Self { cpus, workers: cpus, body_ns: duration_ns.saturating_mul(2).max(1), duration_ns }
    }

    /// What the plain run's report says.
    pub fn of_report(cpus: u32, duration_ns: u64, report: &RunReport) -> Self {
        let enabling_ns = report.scheduler.as_ref().and_then(|scheduler| scheduler.enabled_after_ns);
        let body_ns = report.guest_ns.saturating_sub(enabling_ns.unwrap_or(0));
        Self { cpus, workers: report.workers.len() as u32, body_ns: body_ns.max(1), duration_ns }
    }
}
