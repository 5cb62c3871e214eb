//! What a campaign found.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use crate::campaign::{Done, End};
use crate::groups::Group;

/// The end of a campaign, for people and, as JSON, for scripts.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// The test.
    pub test: String,
    /// The strategy's name.
    pub strategy: String,
    /// All runs, the plain one and those of earlier times included.
    pub runs: u64,
    /// Runs of this time.
    pub new_runs: u64,
    /// Wall time of this time, in seconds.
    pub seconds: f64,
    /// Different digests.
    pub distinct_digests: u64,
    /// Why it ended.
    pub end: End,
    /// Failures, the most frequent first.
    pub failures: Vec<Group>,
    /// Where everything is kept.
    pub campaign: PathBuf,
}

impl Summary {
    pub(crate) fn new(test: String, strategy: String, done: &Done, campaign: PathBuf) -> Self {
        Self {
            test,
            strategy,
            runs: done.tally.runs(),
            new_runs: done.new_runs,
            seconds: done.wall.as_secs_f64(),
            distinct_digests: done.tally.digests(),
            end: done.end,
            failures: done.tally.groups(),
            campaign,
        }
    }

    /// The summary as one line of JSON.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The summary in lines.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let failed: u64 = self.failures.iter().map(|group| group.count).sum();
        let why = match self.end {
            End::Complete => "",
            End::Failure => "; ended by a failure",
            End::Interrupted => "; interrupted",
        };
        let rate = self.new_runs as f64 / self.seconds.max(0.001);
        let _ = writeln!(
            text,
            "{}: {} runs ({} new, {rate:.1} a second) with strategy {}, {} distinct digests, {failed} failed{why}",
            self.test, self.runs, self.new_runs, self.strategy, self.distinct_digests
        );
        for group in &self.failures {
            let _ = writeln!(text, "  {:5} x {}", group.count, group.signature);
            let run = match group.representative {
                0 => "the plain run".to_owned(),
                number => format!("run {number}"),
            };
            let headline = group.headline.lines().next().unwrap_or_default();
            let _ = writeln!(text, "          {run}: {headline}");
            if let Some(token) = group.token {
                let _ = writeln!(text, "          make it again: cargo ktstr replay {token}");
            }
        }
        let _ = write!(text, "  kept in {}", self.campaign.display());
        text
    }
}
