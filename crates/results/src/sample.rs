//! What listing and comparing need of a record.

use std::path::PathBuf;

use ktstr_model::{Cause, Digest, Mode, Topology, Verdict};
use serde::Deserialize;

use crate::commit::Commit;
use crate::figure::Figure;

/// The part of a [`Record`](crate::Record) by which runs are listed and compared. The rest of the record is passed over,
/// which is several times faster.
#[derive(Clone, Debug, Deserialize)]
pub struct Sample {
    /// The record's path.
    #[serde(skip)]
    pub path: PathBuf,
    /// The name of the folder that it is in.
    #[serde(skip)]
    pub run: String,
    /// The crate that the test is in.
    #[serde(default, rename = "crate")]
    pub test_crate: String,
    /// The test's path within its crate.
    pub test: String,
    /// The commit of the workspace.
    #[serde(default = "Commit::none")]
    pub commit: Commit,
    /// The machine's topology.
    #[serde(default)]
    pub topology: Option<Topology>,
    /// The kernel.
    #[serde(default)]
    pub kernel: Option<SampleKernel>,
    /// The mode.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// The seed.
    pub seed: u64,
    /// The scheduler's name.
    pub scheduler: String,
    /// The digest.
    #[serde(default)]
    pub digest: Option<Digest>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub cause: Cause,
    /// The figures.
    #[serde(default)]
    pub figures: Vec<Figure>,
    /// When the run began, in milliseconds since 1970.
    pub began_unix_ms: u64,
}

/// The kernel of a [`Sample`].
#[derive(Clone, Debug, Deserialize)]
pub struct SampleKernel {
    /// `uname -r`.
    pub release: String,
}

impl Sample {
    /// Whether the workload ran to its end, so that figures of it can be compared to another run's.
    pub fn ran_to_the_end(&self) -> bool {
        matches!(
            self.cause,
            Cause::ChecksHeld | Cause::CheckViolated | Cause::ExpectedError | Cause::UnexpectedPass
        )
    }
}
