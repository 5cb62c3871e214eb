//! The scheduler under test: brought up before the body, watched while it runs, stopped after it.

mod builtin;
mod program;
mod sched_ext;

use std::path::Path;

use ktstr_model::{GuestFailure, SchedulerLaunch, SchedulerOrder, SchedulerReport};

use self::builtin::Builtin;
use self::program::Program;
pub(crate) use self::sched_ext::SchedExt;
use crate::bpf::Programs;
use crate::channel::LogArea;

/// A scheduler that is enabled, or was.
#[derive(Debug)]
pub(crate) enum RunningScheduler {
    Program(Program),
    Builtin(Builtin),
}

/// A scheduler that did not come up.
#[derive(Debug, PartialEq)]
pub(crate) struct NotStarted {
    /// Why.
    pub failure: GuestFailure,
    /// How far it came.
    pub report: SchedulerReport,
}

impl NotStarted {
    fn new(failure: GuestFailure, report: SchedulerReport) -> Box<Self> {
        Box::new(Self { failure, report })
    }

    fn setup(error: impl std::fmt::Display) -> Box<Self> {
        Self::new(GuestFailure::Setup(error.to_string()), SchedulerReport::default())
    }
}

impl RunningScheduler {
    /// Brings the scheduler up and waits until it is enabled. What its program prints goes to `log`. `sysfs` is where
    /// sysfs is mounted.
    ///
    /// # Errors
    /// When it does not come up; nothing of it is left running then.
    pub(crate) fn start(order: &SchedulerOrder, log: LogArea, sysfs: &Path) -> Result<Self, Box<NotStarted>> {
        match &order.launch {
            SchedulerLaunch::Program { path, args } => {
                let unreadable = |error| NotStarted::setup(format!("cannot read the BPF programs: {error}"));
                let before = order.read_bpf.then(Programs::now).transpose().map_err(unreadable)?;
                let mut program = Program::start(path, args, order.enable_timeout_ns, log, sysfs)?;
                program.bpf = before.map(|before| before.loaded_since()).transpose().map_err(unreadable)?;
                Ok(Self::Program(program))
            }
            SchedulerLaunch::Builtin { enable, disable } => {
                Builtin::start(enable, disable).map(Self::Builtin).map_err(NotStarted::setup)
            }
        }
    }

    /// The process id of its program.
    pub(crate) fn pid(&self) -> Option<u32> {
        match self {
            Self::Program(program) => Some(program.pid()),
            Self::Builtin(_) => None,
        }
    }

    /// Whether it is in charge: its program runs and the kernel says that it is enabled.
    pub(crate) fn alive(&self) -> bool {
        match self {
            Self::Program(program) => program.alive(),
            Self::Builtin(_) => true,
        }
    }

    /// Waits until `deadline_ns` of the monotonic clock (`false`), or until the scheduler has died (`true`).
    pub(crate) fn dies_before(&self, deadline_ns: u64) -> bool {
        match self {
            Self::Program(program) => program.dies_before(deadline_ns),
            Self::Builtin(_) => {
                let left = deadline_ns.saturating_sub(crate::clock::monotonic_ns());
                std::thread::sleep(std::time::Duration::from_nanos(left));
                false
            }
        }
    }

    /// Stops it and says what became of it.
    pub(crate) fn stop(self) -> SchedulerReport {
        match self {
            Self::Program(program) => program.stop(),
            Self::Builtin(builtin) => builtin.stop(),
        }
    }
}
