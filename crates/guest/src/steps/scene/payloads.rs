//! Operations on external programs.

use ktstr_model::{AssertResult, Name, Payload};

use super::Scene;
use crate::error::GuestError;
use crate::payload::{PayloadHandle, PayloadOutcome, start};

/// An external program that was started, and where it is.
pub(super) struct Running<'ctx> {
    /// `None` outside of all cgroups of the test.
    pub cell: Option<String>,
    pub lasting: bool,
    handle: PayloadHandle<'ctx>,
}

impl Running<'_> {
    fn is(&self, name: &str, cell: Option<&Name>) -> bool {
        self.handle.payload().name == name && cell.is_none_or(|cell| self.cell.as_deref() == Some(cell))
    }
}

impl<'ctx> Scene<'ctx> {
    pub(super) fn run_payload(
        &mut self,
        payload: &'static Payload,
        args: &[String],
        cell: Option<&str>,
    ) -> Result<(), GuestError> {
        let ctx = self.ctx;
        let cgroup = match cell {
            Some(name) => Some(&self.cell(name)?.cgroup),
            None => None,
        };
        let handle = start(ctx, payload, args, cgroup)?;
        self.payloads.push(Running { cell: cell.map(str::to_owned), lasting: self.lasting, handle });
        Ok(())
    }

    pub(super) fn wait_payload(&mut self, name: &str, cell: Option<&Name>) -> Result<(), GuestError> {
        self.take_payloads(|running| running.is(name, cell), PayloadHandle::wait)
    }

    pub(super) fn kill_payload(&mut self, name: &str, cell: Option<&Name>) -> Result<(), GuestError> {
        self.stop_payloads(|running| running.is(name, cell))
    }

    /// Ends programs, all at the same time, and judges them.
    pub(super) fn stop_payloads(&mut self, which: impl Fn(&Running<'_>) -> bool) -> Result<(), GuestError> {
        let stopping = self.payloads.iter_mut().filter(|running| which(running));
        stopping.for_each(|running| running.handle.ask_to_end());
        self.take_payloads(which, PayloadHandle::kill)
    }

    fn take_payloads(
        &mut self,
        which: impl Fn(&Running<'_>) -> bool,
        end: impl Fn(PayloadHandle<'ctx>) -> Result<PayloadOutcome, GuestError>,
    ) -> Result<(), GuestError> {
        let taken: Vec<Running<'ctx>> = self.payloads.extract_if(.., |running| which(running)).collect();
        for running in taken {
            self.found.merge(end(running.handle)?.result);
        }
        Ok(())
    }

    /// What was found wrong with programs that have ended since this was asked last.
    pub(in crate::steps) fn take_found(&mut self) -> AssertResult {
        std::mem::take(&mut self.found)
    }
}
