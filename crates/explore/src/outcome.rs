//! How one run of a campaign went.

use ktstr_model::{Digest, Variation, Verdict};
use ktstr_results::replay::TokenId;
use serde::{Deserialize, Serialize};

use crate::signature::Signature;

/// What is kept of every run: a line of the campaign's folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The run's number; 0 is the plain run.
    pub number: u64,
    /// Its verdict.
    pub verdict: Verdict,
    /// Why it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// Why, in one line, with the figures that the signature leaves out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub headline: String,
    /// The digest of what it did; `None` when it left no report.
    pub digest: Option<Digest>,
    /// Guest time of the test process, in nanoseconds.
    pub guest_ns: u64,
    /// Wall time, in milliseconds.
    pub wall_ms: f64,
    /// In what it differed from the plain run; only of runs that did not pass, the others can be computed again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variation: Option<Variation>,
    /// The token with which `cargo ktstr replay` makes it again; only of runs that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
}

/// A run as people call it.
pub(crate) fn name_of(number: u64) -> String {
    match number {
        0 => "the plain run".to_owned(),
        number => format!("run {number}"),
    }
}

impl Outcome {
    /// Whether something went wrong.
    pub fn failed(&self) -> bool {
        self.signature.is_some()
    }
}
