//! Records of runs.
//!
//! A run leaves one JSON file, its [`Record`], in a [folder](RunFolderName) of runs on one kernel at one commit. What the guest
//! reported, with every event that the digest covers, and the logs of a run that did not pass are in a folder of the
//! record's name beside it, so that ten thousand records are read in a second.

mod choose;
mod commit;
pub mod compare;
mod dimension;
mod divergence;
mod error;
mod figure;
mod host;
mod identities;
mod read;
mod record;
pub mod replay;
mod run_folder;
mod runs;
mod sample;
mod schema;
mod statistics;
mod summary;
mod test_program;
mod times;
mod worker;
mod write;

pub use commit::Commit;
pub use dimension::Dimension;
pub use divergence::{Divergence, first_divergence};
pub use error::{BadRecord, BadRecordWhy, ResultsError};
pub use figure::{Figure, Polarity};
pub use host::HostFacts;
pub use identities::Identities;
pub use read::read as read_record;
pub use record::{Phases, Plan, Record, RecordKernel, RecordTemplate};
pub use run_folder::RunFolderName;
pub use runs::{RunFolder, Samples};
pub use sample::{Sample, SampleKernel};
pub use schema::Schema;
pub use statistics::Interval;
pub use summary::{CellSummary, SummedFigure, summarize};
pub use test_program::TestProgram;
pub use times::Times;
pub use worker::WorkerFigures;
pub use write::{Evidence, RecordFolder, Written};
