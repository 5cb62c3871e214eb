//! What a test body returns: what was found wrong, and what is worth noting.

use serde::{Deserialize, Serialize};

/// What a violated check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DetailKind {
    /// A worker did no work at all.
    Starved,
    /// A worker made no progress for too long.
    Gap,
    /// The workers of one cgroup got too unequal shares of CPU time.
    Spread,
    /// A worker ran outside of its cpuset.
    Isolation,
    /// The workers of one cgroup did too unequal amounts of work in the same CPU time.
    ThroughputCv,
    /// A worker did too little work in its CPU time.
    WorkRate,
    /// A worker's computing loop was too slow.
    IterationRate,
    /// The workers of one cgroup ran too late after being woken.
    WakeLatency,
    /// The workers of one cgroup ran too irregularly after being woken.
    WakeLatencyCv,
    /// A worker changed its CPU too often.
    MigrationRatio,
    /// A worker's memory lay on the wrong NUMA nodes.
    PageLocality,
    /// The kernel moved too many pages between NUMA nodes.
    CrossNodeMigration,
    /// Too many pages of one cgroup lay on nodes of memory only.
    SlowTier,
    /// A worker crashed, or did not stop when it was told to.
    WorkerLost,
    /// An external program ended otherwise than it was to.
    Payload,
    /// A figure of an external program is outside its bounds, or missing.
    Metric,
    /// It took too long from the body's end until everything had stopped.
    Cleanup,
    /// A condition of the test body itself.
    Custom,
}

/// One violated condition: what it was about, in words and, where there are any, in figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssertDetail {
    /// What the condition is about.
    pub kind: DetailKind,
    /// The violation in one line, after which the last lines of a program may follow, with worker, CPU, time, value and threshold.
    pub message: String,
    /// The cgroup it was seen in.
    pub cgroup: Option<String>,
    /// The worker it was seen on, as its place in the cgroup.
    pub worker: Option<u32>,
    /// The CPU it was seen on.
    pub cpu: Option<u32>,
    /// When it was seen, in nanoseconds after the workers were let go.
    pub at_ns: Option<u64>,
    /// What was measured, in the check's unit.
    pub value: Option<f64>,
    /// What was allowed, in the check's unit.
    pub threshold: Option<f64>,
}

impl AssertDetail {
    /// A violation that has no figures, only words.
    pub fn new(kind: DetailKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            kind,
            message,
            cgroup: None,
            worker: None,
            cpu: None,
            at_ns: None,
            value: None,
            threshold: None,
        }
    }

    /// This violation with where and when it was seen, in nanoseconds after the workers were let go.
    #[must_use]
    pub fn seen(self, cpu: Option<u32>, at_ns: u64) -> Self {
        Self { cpu, at_ns: Some(at_ns), ..self }
    }

    /// This violation with what was measured and what was allowed, in the check's unit.
    #[must_use]
    pub fn measured(self, value: f64, threshold: f64) -> Self {
        Self { value: Some(value), threshold: Some(threshold), ..self }
    }
}

/// The result of a test body or of a set of checks. Results [`merge`](Self::merge); one failure fails the whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AssertResult {
    /// Every violated condition; empty when the result passed or was skipped.
    pub details: Vec<AssertDetail>,
    /// Why the body decided that it could not tell anything.
    pub skipped: Option<String>,
    /// Remarks that change no verdict.
    pub notes: Vec<String>,
}

impl AssertResult {
    /// Nothing wrong.
    pub fn pass() -> Self {
        Self::default()
    }

    /// One violated condition.
    pub fn fail(detail: AssertDetail) -> Self {
        Self { details: vec![detail], ..Self::default() }
    }

    /// One violated condition of the test body, in words.
    pub fn fail_msg(message: impl Into<String>) -> Self {
        Self::fail(AssertDetail::new(DetailKind::Custom, message))
    }

    /// The body cannot tell, and says why.
    pub fn skip(reason: impl Into<String>) -> Self {
        Self { skipped: Some(reason.into()), ..Self::default() }
    }

    /// Adds a remark.
    pub fn note(&mut self, note: impl Into<String>) -> &mut Self {
        self.notes.push(note.into());
        self
    }

    /// This result with a remark.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note(note);
        self
    }

    /// Takes over everything that `other` found. A skip survives only while nothing failed.
    pub fn merge(&mut self, other: Self) -> &mut Self {
        self.details.extend(other.details);
        self.notes.extend(other.notes);
        self.skipped = self.skipped.take().or(other.skipped);
        self
    }

    /// Whether a condition was violated.
    pub fn is_failed(&self) -> bool {
        !self.details.is_empty()
    }

    /// Whether the body gave up without a violation.
    pub fn is_skipped(&self) -> bool {
        self.skipped.is_some() && !self.is_failed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_fails_the_whole() {
        let mut result = AssertResult::skip("no SMT").with_note("seen");
        assert!(result.is_skipped() && !result.is_failed());
        result.merge(AssertResult::fail_msg("late")).merge(AssertResult::pass());
        assert!(result.is_failed() && !result.is_skipped());
        assert_eq!((result.details.len(), result.notes.len()), (1, 1));
    }
}
