//! External programs: started beside the workers, waited for or stopped, and judged by how they end and what they print.
//!
//! A program runs in a [session](session) of its own, so that all its processes can be found when it has to go.
//! [`PayloadRun`] is what a test body starts one with; scenarios use it too.

mod capture;
mod handle;
mod program;
mod run;
mod session;

pub use handle::{PayloadHandle, PayloadOutcome};
pub use run::PayloadRun;
pub(crate) use run::start;
