//! The host side of a run: plan it, run it in a clone, judge what came back, record it.

mod error;
mod evidence;
mod host_run;
mod judge;
mod kernel_trouble;
mod payload_files;
mod plan;
mod render;
mod run;
mod scheduler_file;
mod settings;
mod symbolise;
mod test_entry;

pub use error::HarnessError;
pub use evidence::{Evidence, TestExit};
pub use judge::{Judgement, judge};
pub use plan::RunPlan;
pub use run::{Finished, Host, Prepared, run};
pub use scheduler_file::Places;
pub use settings::Settings;
pub use test_entry::run_test;
