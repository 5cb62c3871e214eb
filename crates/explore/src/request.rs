//! What `cargo ktstr explore` asks of a test binary.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::strategy::StrategyName;

/// The argument of a test binary that a request, as JSON, follows.
pub const REQUEST_ARGUMENT: &str = "--ktstr-explore";

/// When a campaign is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// So many runs beside the plain one, those of earlier times included.
    Runs(u64),
    /// So much time from now on.
    Time(Duration),
}

/// A campaign that is to be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The test, by its path within its crate.
    pub test: String,
    /// How runs differ.
    pub strategy: StrategyName,
    /// When it is over.
    pub limit: Limit,
    /// What all random choices of the strategy come from, and the seed of the plain run; `None` for the seed that the test
    /// has without a strategy.
    pub seed: Option<u64>,
    /// Machines at once; `None` for as many as there are host CPUs.
    pub jobs: Option<usize>,
    /// Another topology than the test's.
    pub topology: Option<String>,
    /// Another duration than the test's.
    pub duration: Option<Duration>,
    /// The first failure ends it.
    pub stop_on_failure: bool,
    /// The summary as JSON on stdout, and no live line.
    pub json: bool,
    /// The campaign's folder; `None` for one that its parameters name.
    pub folder: Option<PathBuf>,
    /// Instead: this run of the campaign again, so many times.
    pub again: Option<Again>,
}

/// A run of a campaign that is to be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// Its number.
    pub run: u64,
    /// How often.
    pub times: u64,
}
