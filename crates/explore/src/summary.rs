//! What a campaign found.

use std::fmt::Write as _;
use std::path::PathBuf;

use ktstr_results::replay::{ReplayToken, TokenId};
use serde::Serialize;

use crate::campaign::{Done, End};
use crate::groups::Group;
use crate::outcome::name_of;
use crate::request::Request;

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
    /// Runs that skipped themselves.
    pub skipped: u64,
    /// Different digests.
    pub distinct_digests: u64,
    /// Why it ended.
    pub end: End,
    /// Failures, the most frequent first.
    pub failures: Vec<Group>,
    /// Where everything is kept.
    pub campaign: PathBuf,
    /// Where the tokens are, if `cargo ktstr replay` does not look there by itself.
    #[serde(skip)]
    pub(crate) tokens: Option<PathBuf>,
}

impl Summary {
    /// What came of the campaign that `request` asks for, whose tokens are in `tokens` if that is an unusual place.
    pub(crate) fn new(request: &Request, done: &Done, campaign: PathBuf, tokens: Option<PathBuf>) -> Self {
        Self {
            test: request.test.clone(),
            strategy: request.strategy.to_string(),
            runs: done.tally.runs(),
            new_runs: done.new_runs,
            seconds: done.wall.as_secs_f64(),
            skipped: done.tally.skipped(),
            distinct_digests: done.tally.digests(),
            end: done.end,
            failures: done.tally.groups(),
            campaign,
            tokens,
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
        let skipped = if self.skipped > 0 { format!(", {} skipped", self.skipped) } else { String::new() };
        let _ = writeln!(
            text,
            "{}: {} runs ({} new, {rate:.1} a second) with strategy {}, {} distinct digests, {failed} failed{skipped}{why}",
            self.test, self.runs, self.new_runs, self.strategy, self.distinct_digests
        );
        for group in &self.failures {
            let _ = writeln!(text, "  {:5} x {}", group.count, group.signature);
            let run = name_of(group.representative);
            let headline = group.headline.lines().next().unwrap_or_default();
            let _ = writeln!(text, "          {run}: {headline}");
            if let Some(token) = group.token {
                let _ = writeln!(text, "          make it again: cargo ktstr replay {}", self.token(token));
            }
        }
        let _ = write!(text, "  kept in {}", self.campaign.display());
        text
    }

    /// A token as `cargo ktstr replay` finds it.
    fn token(&self, token: TokenId) -> String {
        match &self.tokens {
            Some(folder) => folder.join(format!("{token}.{}", ReplayToken::EXTENSION)).display().to_string(),
            None => token.to_string(),
        }
    }
}
