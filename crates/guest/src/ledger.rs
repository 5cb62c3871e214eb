//! Every worker of a run, in the order in which they were made, and what scenarios did to them.

use std::collections::BTreeMap;

use ktstr_model::{Stimulus, WorkerReport};

/// Numbers workers as they are made and keeps their reports, and what scenarios did.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    made: u32,
    made_in: BTreeMap<String, u32>,
    reports: BTreeMap<u32, WorkerReport>,
    stimuli: Vec<Stimulus>,
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

    /// Keeps what a scenario did.
    pub(crate) fn record_stimulus(&mut self, stimulus: Stimulus) {
        self.stimuli.push(stimulus);
    }

    /// The reports so far, in order.
    pub(crate) fn reports(&self) -> Vec<WorkerReport> {
        self.reports.values().cloned().collect()
    }

    /// What scenarios did so far, in order.
    pub(crate) fn stimuli(&self) -> Vec<Stimulus> {
        self.stimuli.clone()
    }

    /// All reports and all that scenarios did, in order.
    pub(crate) fn into_parts(self) -> (Vec<WorkerReport>, Vec<Stimulus>) {
        (self.reports.into_values().collect(), self.stimuli)
    }
}
