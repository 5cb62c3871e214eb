//! Starting an external program from a test body.

use ktstr_model::Payload;

use super::handle::{PayloadHandle, PayloadOutcome};
use super::program::Program;
use crate::cgroup::Cgroup;
use crate::context::Ctx;
use crate::error::GuestError;

/// An external program that is about to be started; see [`Ctx::payload`].
#[must_use = "nothing is started before `run` or `spawn` is called"]
pub struct PayloadRun<'ctx> {
    ctx: &'ctx Ctx,
    payload: &'static Payload,
    args: Vec<String>,
    cgroup: Option<&'ctx Cgroup>,
}

impl<'ctx> PayloadRun<'ctx> {
    pub(crate) fn of(ctx: &'ctx Ctx, payload: &'static Payload) -> Self {
        Self { ctx, payload, args: Vec::new(), cgroup: None }
    }

    /// Arguments after the payload's own.
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Starts it in this cgroup; otherwise it runs outside of all cgroups of the test.
    pub fn in_cgroup(self, cgroup: &'ctx Cgroup) -> Self {
        Self { cgroup: Some(cgroup), ..self }
    }

    /// Starts it and waits until it has ended.
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn) and [`PayloadHandle::wait`].
    pub fn run(self) -> Result<PayloadOutcome, GuestError> {
        self.spawn()?.wait()
    }

    /// Starts it, to run beside what the body does next.
    ///
    /// # Errors
    /// When the test's declaration does not name it, or the kernel refuses to start it.
    pub fn spawn(self) -> Result<PayloadHandle<'ctx>, GuestError> {
        start(self.ctx, self.payload, &self.args, self.cgroup)
    }
}

/// Starts a payload's program.
pub(crate) fn start<'ctx>(
    ctx: &'ctx Ctx,
    payload: &'static Payload,
    args: &[String],
    cgroup: Option<&Cgroup>,
) -> Result<PayloadHandle<'ctx>, GuestError> {
    let program = ctx.payload_program(payload)?;
    Ok(PayloadHandle::new(ctx, payload, Program::start(payload, &program, args, cgroup)?))
}
