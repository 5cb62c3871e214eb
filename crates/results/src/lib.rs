//! Records of runs.
//!
//! A run leaves one JSON file, its [`Record`], in a [folder](RunFolderName) of runs on one kernel at one commit. What the guest
//! reported, with every event that the digest covers, and the logs of a run that did not pass are in a folder of the
//! record's name beside it, so that ten thousand records are read in a second.

mod commit;
mod divergence;
mod figure;
mod host;
mod identities;
mod record;
pub mod replay;
mod run_folder;
mod schema;
mod test_program;
mod times;
mod worker;
mod write;

pub use commit::Commit;
pub use divergence::{Divergence, first_divergence};
pub use figure::Figure;
pub use host::HostFacts;
pub use identities::Identities;
pub use record::{Phases, Plan, Record, RecordKernel, RecordTemplate};
pub use run_folder::RunFolderName;
pub use schema::Schema;
pub use test_program::TestProgram;
pub use times::Times;
pub use worker::WorkerFigures;
pub use write::{Evidence, RecordFolder, Written};
