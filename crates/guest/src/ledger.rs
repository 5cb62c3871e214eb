//! Every worker of a run, in the order in which they were made.

use std::collections::BTreeMap;

use ktstr_model::WorkerReport;

/// Numbers workers as they are made and keeps their reports.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    made: u32,
    made_in: BTreeMap<String, u32>,
    reports: BTreeMap<u32, WorkerReport>,
}

impl Ledger {
    /// Numbers for `count` new workers of a cgroup: the first one's number in the run and in the cgroup.
    pub(crate) fn enroll(&mut self, cgroup: &str, count: u32) -> (u32, u32) {
        let in_cgroup = self.made_in.entry(cgroup.to_owned()).or_default();
        let firsts = (self.made, *in_cgroup);
        self.made += count;
        *in_cgroup += count;
        firsts
    }

    /// Keeps the reports of workers, the first of which has this number in the run.
    pub(crate) fn record(&mut self, first: u32, reports: &[WorkerReport]) {
        self.reports.extend((first..).zip(reports.iter().cloned()));
    }

    /// All reports in order.
    pub(crate) fn into_reports(self) -> Vec<WorkerReport> {
        self.reports.into_values().collect()
    }
}
