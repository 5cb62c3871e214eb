//! How a boot ended that did not reach the agent's wait point.

use std::fmt;

use rustix::process::Signal;

use crate::machine::Stop;

/// What happened instead of the wait point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BootEnd {
    /// The agent said what it lacks.
    Agent(String),
    /// The machine stopped.
    Stopped(Stop),
}

impl BootEnd {
    /// Whether it speaks of the accelerator, so that the next boot will end in the same way. One that took too long on a busy
    /// host, or whose QEMU was killed, does not; nor does what the agent lacks.
    pub(crate) fn speaks_of_accelerator(&self) -> bool {
        match self {
            // QEMU aborts where KVM refuses a register. A SIGTERM it takes for an order to end.
            Self::Stopped(stop @ Stop::Gone(said)) => {
                let by_itself = stop.signal().is_none_or(|signal| signal == Signal::ABORT.as_raw());
                by_itself && !said.contains("terminating on signal")
            }
            Self::Stopped(Stop::Deadline(_)) | Self::Agent(_) => false,
            Self::Stopped(Stop::Guest | Stop::Shutdown(_) | Stop::InternalError) => true,
        }
    }
}

impl fmt::Display for BootEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(said) => write!(f, "the agent said: {said}"),
            Self::Stopped(Stop::Guest) => f.write_str("the kernel panicked"),
            Self::Stopped(Stop::Shutdown(reason)) => {
                write!(f, "the guest shut down ({reason}), as after a panic")
            }
            Self::Stopped(Stop::InternalError) => f.write_str("QEMU stopped with an internal error of KVM"),
            Self::Stopped(Stop::Gone(said)) => write!(f, "QEMU ended: {said}"),
            Self::Stopped(Stop::Deadline(passed)) => write!(f, "nothing happened in {passed}"),
        }
    }
}
