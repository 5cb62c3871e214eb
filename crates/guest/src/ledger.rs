//! Every worker of a run, in the order in which they were made, what scenarios did to them, and every external program.

use std::collections::BTreeMap;

use ktstr_model::{MetricValue, PayloadReport, Stimulus, WorkerReport};

/// Numbers workers as they are made and keeps their reports, what scenarios did, and what external programs reported.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    made: u32,
    made_in: BTreeMap<String, u32>,
    reports: BTreeMap<u32, WorkerReport>,
    stimuli: Vec<Stimulus>,
    payloads: Vec<PayloadReport>,
    metrics: Vec<MetricValue>,
    death: Option<String>,
}

/// All that a ledger holds, in order.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    pub workers: Vec<WorkerReport>,
    pub stimuli: Vec<Stimulus>,
    pub payloads: Vec<PayloadReport>,
    pub metrics: Vec<MetricValue>,
    /// Where in a scenario it was seen that the scheduler had died.
    pub death: Option<String>,
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

    /// Keeps what an external program did.
    pub(crate) fn record_payload(&mut self, report: PayloadReport, metrics: &[MetricValue]) {
        self.payloads.push(report);
        self.metrics.extend_from_slice(metrics);
    }

    /// Keeps where in a scenario the scheduler was seen to have died.
    pub(crate) fn record_death(&mut self, place: String) {
        self.death.get_or_insert(place);
    }

    /// What external programs did so far, in the order in which they ended, and their figures.
    pub(crate) fn payloads(&self) -> (Vec<PayloadReport>, Vec<MetricValue>) {
        (self.payloads.clone(), self.metrics.clone())
    }

    /// All of it.
    pub(crate) fn into_entries(self) -> Entries {
        let Self { reports, stimuli, payloads, metrics, death, .. } = self;
        Entries { workers: reports.into_values().collect(), stimuli, payloads, metrics, death }
    }
}
