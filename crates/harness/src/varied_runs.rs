//! Many runs of one test, each with a variation: what they have in common is made once.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ktstr_guest::TestEntry;
use ktstr_kernel::EntryHold;
use ktstr_model::{Mode, RunOrder, Variation, Verdict};
use ktstr_results::replay::ReplayToken;
use ktstr_results::{Identities, Record, Written};
use ktstr_vm::Work;

use crate::after_body;
use crate::error::HarnessError;
use crate::evidence::Evidence;
use crate::identities;
use crate::judge::{expect_failure, judge};
use crate::prepared::Prepared;
use crate::run::{Finished, begun, finish};
use crate::settings::Settings;

/// A test whose template is loaded. A run costs its clone and nothing else.
pub struct VariedRuns {
    entry: TestEntry,
    prepared: Prepared,
    record: Record,
    identities: Identities,
    /// `kernel clean` leaves a kernel in use alone.
    _in_use: Option<EntryHold>,
}

impl VariedRuns {
    /// Gets everything for runs of `entry`, whose workload runs for `duration` instead of what it says.
    ///
    /// # Errors
    /// When something that a run needs is not here.
    pub fn new(
        entry: TestEntry,
        settings: &Settings,
        duration: Option<Duration>,
    ) -> Result<Self, HarnessError> {
        let spec = &entry.spec;
        let seed = spec.seed.unwrap_or(settings.seed);
        let mut record = begun(spec, settings, seed);
        let prepared = Prepared::new(&entry, settings, seed, duration, &mut record)?;
        let in_use = prepared.host.kernel.hold()?;
        let identities = identities::of(&prepared.host, &prepared.plan, &prepared.payload)?;
        Ok(Self { entry, prepared, record, identities, _in_use: in_use })
    }

    /// The order of the plain run.
    pub fn order(&self) -> &RunOrder {
        &self.prepared.plan.order
    }

    /// The record that every run begins with.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The mode of the runs.
    pub fn mode(&self) -> Mode {
        self.prepared.plan.machine.mode
    }

    /// What digests depend on beside the order: the saved machine and every file in the guest.
    pub fn identity(&self) -> [String; 2] {
        [self.prepared.template.key().to_owned(), self.prepared.payload.hash()]
    }

    /// Carries out one run; one that fails gets a replay token.
    ///
    /// # Errors
    /// When the host could not carry it out, which says nothing about the test.
    pub fn run(&self, variation: &Variation) -> Result<Finished, HarnessError> {
        let order = variation.of(self.order());
        let mut record = self.record.clone();
        record.seed = order.seed;
        let evidence = self.attempt(&order)?;
        record.plan = Some(self.prepared.plan.recorded(order));
        if let Some(Ok(report)) = &evidence.report {
            record.take_report(report);
        }
        let judged = judge(&evidence);
        let judged = if self.entry.spec.expect_err { expect_failure(judged) } else { judged };
        let judgement = after_body::look(&self.entry, judged, &evidence, &mut record);
        let mut finished = finish(record, judgement, Some(evidence));
        if finished.record.verdict != Verdict::Pass {
            finished.record.identities = Some(self.identities.clone());
            finished.record.replay_token = ReplayToken::of(&finished.record).map(|token| token.id);
        }
        Ok(finished)
    }

    fn attempt(&self, order: &RunOrder) -> Result<Evidence, HarnessError> {
        let encoded = ktstr_wire::encode(order).map_err(|error| HarnessError::Order(error.to_string()))?;
        let work = Work { seed: order.seed, order: &encoded };
        // That a run waits for room on the host is nothing to tell each time.
        let mut waits = |_: &str| {};
        let mut machine = self.prepared.loaded.start(&self.prepared.host.qemu, work, &mut waits)?;
        let stop = machine.wait_stop(self.prepared.deadline()).map_err(HarnessError::Lost)?;
        Ok(Evidence::collect(&machine, stop))
    }

    /// Writes the record of a run, with its replay token and what its machine left, into `folder`.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn keep(&self, finished: &Finished, folder: &Path) -> io::Result<PathBuf> {
        let evidence = finished.evidence.as_ref();
        let logs = evidence.map(Evidence::logs);
        let report = evidence.and_then(|evidence| evidence.report.as_ref()?.as_ref().ok());
        let beside = ktstr_results::Evidence { report, logs: logs.as_ref().map_or(&[], |logs| logs) };
        let Written { record, .. } = finished.record.write(folder, beside)?;
        if let Some(token) = ReplayToken::of(&finished.record) {
            token.write(folder)?;
        }
        Ok(record)
    }
}
