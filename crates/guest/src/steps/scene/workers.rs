//! Operations on workers.

use ktstr_model::{AffinityIntent, WorkSpec};

use super::{Crew, Scene};
use crate::error::GuestError;

impl Scene<'_> {
    pub(super) fn spawn_and_start(&mut self, cell: Option<&str>, work: &WorkSpec) -> Result<(), GuestError> {
        self.spawn(cell, &work.clone().resolve(self.ctx.workers_per_cgroup))?;
        if let Some(crew) = self.crews.last_mut() {
            crew.handle.start();
        }
        Ok(())
    }

    pub(super) fn stop_cgroup(&mut self, name: &str) -> Result<(), GuestError> {
        self.stop_crews(|crew| crew.cell.as_deref() == Some(name))?;
        self.stop_payloads(|running| running.cell.as_deref() == Some(name))
    }

    pub(super) fn set_affinity(&mut self, name: &str, affinity: &AffinityIntent) -> Result<(), GuestError> {
        let there = |crew: &&Crew<'_>| crew.cell.as_deref() == Some(name);
        self.crews.iter().filter(there).try_for_each(|crew| crew.handle.set_affinity(affinity))
    }

    /// Stops workers, all at the same time, and keeps what they report. A frozen cgroup goes on for as long as that takes.
    pub(super) fn stop_crews(&mut self, which: impl Fn(&Crew<'_>) -> bool) -> Result<(), GuestError> {
        let mut crews: Vec<Crew<'_>> = self.crews.extract_if(.., |crew| which(crew)).collect();
        let holds = |name: &String| crews.iter().any(|crew| crew.cell.as_ref() == Some(name));
        let thawed: Vec<String> = self.names(|cell| cell.frozen && holds(&cell.name));
        for name in &thawed {
            self.unfreeze(name)?;
        }
        crews.iter_mut().for_each(|crew| crew.handle.stop());
        for crew in crews {
            let reports = crew.handle.stop_and_collect()?;
            let kept = if crew.lasting { &mut self.finished.lasting } else { &mut self.finished.of_step };
            kept.extend(reports);
        }
        thawed.iter().try_for_each(|name| self.freeze(name))
    }
}
