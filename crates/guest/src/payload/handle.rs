//! An external program as a test body holds it, and what came of it.

use ktstr_checks::{Figures, judge_payload, read_metrics};
use ktstr_model::{AssertResult, MetricValue, Payload, PayloadReport};

use super::program::Program;
use crate::clock::monotonic_ns;
use crate::context::Ctx;
use crate::error::{GuestError, on_process};

/// How often the scheduler is looked after while a program is waited for.
const SLICE_NS: u64 = 100_000_000;
/// How long a program is waited for, beyond the test's duration.
const WAIT_NS: u64 = 60_000_000_000;

/// What came of one run of an external program.
#[derive(Clone, Debug, PartialEq)]
pub struct PayloadOutcome {
    /// What it did.
    pub report: PayloadReport,
    /// The figures that it printed.
    pub metrics: Vec<MetricValue>,
    /// Whether it ended as it was to, and its figures are within their bounds.
    pub result: AssertResult,
}

impl PayloadOutcome {
    /// The value of the figure of this name, if the program printed it.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value)
    }
}

/// An external program that was started. Dropping it ends the program; what it did until then is still part of the run's
/// report.
#[must_use = "the program is ended when its handle is dropped"]
pub struct PayloadHandle<'ctx> {
    ctx: &'ctx Ctx,
    payload: &'static Payload,
    program: Option<Program>,
}

impl<'ctx> PayloadHandle<'ctx> {
    pub(super) fn new(ctx: &'ctx Ctx, payload: &'static Payload, program: Program) -> Self {
        Self { ctx, payload, program: Some(program) }
    }

    /// The payload that it is a run of.
    pub fn payload(&self) -> &'static Payload {
        self.payload
    }

    /// Its process id, which is also that of its session.
    pub fn pid(&self) -> u32 {
        self.program.as_ref().map_or(0, Program::pid)
    }

    /// Whether it has not ended yet.
    pub fn is_running(&self) -> bool {
        self.program.as_ref().is_some_and(|program| !program.ends_before(0))
    }

    /// Waits until it has ended. When the scheduler under test dies meanwhile, it is ended.
    ///
    /// # Errors
    /// When it has not ended a minute after the test's duration; it is ended then.
    pub fn wait(self) -> Result<PayloadOutcome, GuestError> {
        let limit_ns = WAIT_NS + u64::try_from(self.ctx.duration.as_nanos()).unwrap_or(u64::MAX - WAIT_NS);
        let deadline_ns = monotonic_ns().saturating_add(limit_ns);
        while let Some(program) = &self.program {
            let now = monotonic_ns();
            if program.ends_before((now + SLICE_NS).min(deadline_ns)) || !self.ctx.scheduler_alive() {
                break;
            }
            if now >= deadline_ns {
                let (payload, seconds) = (self.payload.name.to_owned(), limit_ns / 1_000_000_000);
                return Err(GuestError::PayloadHangs { payload, pid: program.pid(), seconds });
            }
        }
        self.finish()
    }

    /// Ends it: it gets SIGTERM and, when it is still there a second later, SIGKILL with all processes of its session.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill(self) -> Result<PayloadOutcome, GuestError> {
        self.finish()
    }

    /// Asks it to end, so that several can end at the same time.
    pub(crate) fn ask_to_end(&mut self) {
        if let Some(program) = &mut self.program {
            program.ask_to_end();
        }
    }

    fn finish(mut self) -> Result<PayloadOutcome, GuestError> {
        match self.program.take() {
            Some(program) => collect(self.ctx, self.payload, program),
            None => Err(on_process("wait for a payload twice")(std::io::ErrorKind::NotFound)),
        }
    }
}

impl Drop for PayloadHandle<'_> {
    fn drop(&mut self) {
        if let Some(program) = self.program.take()
            && let Err(error) = collect(self.ctx, self.payload, program)
        {
            eprintln!("ktstr: {error}");
        }
    }
}

/// Takes the end of a program and keeps it for the run's report.
fn collect(ctx: &Ctx, payload: &Payload, program: Program) -> Result<PayloadOutcome, GuestError> {
    let (report, output) = program.finish()?;
    let figures = read_metrics(payload, &report.cgroup, &output);
    let result = judge_payload(payload, &report, &figures, ctx.mode());
    let Figures { found: metrics, .. } = figures;
    ctx.record_payload(report.clone(), &metrics);
    Ok(PayloadOutcome { report, metrics, result })
}
