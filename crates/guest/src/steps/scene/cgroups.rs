//! Operations on cgroups as a whole.

use super::{Cell, Scene};
use crate::error::GuestError;

impl Scene<'_> {
    pub(super) fn add_cgroup(&mut self, name: &str) -> Result<&mut Cell, GuestError> {
        let cgroup = self.ctx.cgroups.create(name)?;
        let cell = Cell { name: name.to_owned(), cgroup, cpus: None, frozen: false, lasting: self.lasting };
        self.cells.push(cell);
        self.cell(name)
    }

    /// Stops its workers and external programs, kills whatever else is there, and removes it.
    pub(super) fn remove_cgroup(&mut self, name: &str) -> Result<(), GuestError> {
        self.stop_cgroup(name)?;
        match self.cells.iter().position(|cell| cell.name == name) {
            Some(index) => self.cells.remove(index).cgroup.remove(),
            None => self.cell(name).map(drop),
        }
    }

    pub(super) fn move_all_tasks(&mut self, from: &str, to: &str) -> Result<(), GuestError> {
        let place = |name: &str| self.cells.iter().find(|cell| cell.name == name);
        let (source, target) = match (place(from), place(to)) {
            (Some(source), Some(target)) => (source, target),
            (None, _) => return self.cell(from).map(drop),
            (_, None) => return self.cell(to).map(drop),
        };
        source.cgroup.move_all_to(&target.cgroup)?;
        for crew in self.crews.iter_mut().filter(|crew| crew.cell.as_deref() == Some(from)) {
            crew.cell = Some(to.to_owned());
            crew.handle.moved_to(&target.cgroup);
        }
        for running in self.payloads.iter_mut().filter(|running| running.cell.as_deref() == Some(from)) {
            running.cell = Some(to.to_owned());
        }
        Ok(())
    }

    pub(super) fn freeze(&mut self, name: &str) -> Result<(), GuestError> {
        let cell = self.cell(name)?;
        cell.cgroup.freeze()?;
        cell.frozen = true;
        Ok(())
    }

    pub(super) fn unfreeze(&mut self, name: &str) -> Result<(), GuestError> {
        let cell = self.cell(name)?;
        cell.cgroup.unfreeze()?;
        cell.frozen = false;
        Ok(())
    }
}
