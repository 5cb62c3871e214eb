//! The host side of a run: plan it, run it in a clone, judge what came back, record it.

mod after_body;
mod cells;
mod determinism;
mod error;
mod evidence;
mod host_noise;
mod host_run;
mod identities;
mod judge;
mod kernel_trouble;
mod payload_files;
mod plan;
mod process_entry;
mod render;
mod replay;
mod run;
mod runner_protocol;
mod scheduler_file;
mod scheduler_names;
pub mod session;
mod settings;
mod symbolise;
mod test_entry;
mod varied_runs;

pub use cells::{Declared, Listed, TooLarge, UnknownCell, list};
pub use determinism::{NotEqual, compare};
pub use error::HarnessError;
pub use evidence::{Evidence, TestExit};
pub use judge::{Judgement, judge};
pub use plan::RunPlan;
pub use process_entry::process_entry;
pub use run::{Finished, Host, Prepared, run};
pub use scheduler_file::Places;
pub use settings::Settings;
pub use test_entry::run_test;
pub use varied_runs::VariedRuns;
