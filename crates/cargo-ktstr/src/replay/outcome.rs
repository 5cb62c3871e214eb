//! What came of the runs of a token, for people and for programs.

use std::path::PathBuf;
use std::process::ExitCode;

use ktstr_model::{Cause, Digest, Verdict};
use ktstr_results::Record;
use ktstr_results::replay::{ReplayToken, Replayed, TokenId};
use serde::Serialize;

/// One run.
#[derive(Debug, Serialize)]
pub struct Run {
    result: Replayed,
    verdict: Verdict,
    cause: Cause,
    headline: String,
    digest: Option<Digest>,
    record: PathBuf,
    /// Whether it is known which programs ran.
    #[serde(skip)]
    is_identified: bool,
}

impl Run {
    /// Compares a run's record to its token.
    pub fn of(token: &ReplayToken, record: &Record, path: PathBuf) -> Self {
        Self {
            result: token.compare(record),
            verdict: record.verdict,
            cause: record.cause,
            headline: record.headline.clone(),
            digest: record.digest,
            record: path,
            is_identified: record.identities.is_some(),
        }
    }

    /// How it went.
    pub fn line(&self) -> String {
        let first = self.headline.lines().next().unwrap_or_default();
        format!("{} ({}: {first})", self.result, self.verdict)
    }
}

/// All runs.
#[derive(Debug, Serialize)]
pub struct Outcome {
    replay_token: TokenId,
    /// The worst of the runs.
    result: Replayed,
    reproduced: usize,
    same_verdict_other_schedule: usize,
    not_reproduced: usize,
    /// What is otherwise here than where the token was made.
    differences: Vec<String>,
    runs: Vec<Run>,
    /// Where the first run with another schedule went apart from the one that the token is of, line by line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub divergence: Vec<String>,
    /// The guest kernel's log of the last run, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel_log: Option<String>,
    #[serde(skip)]
    then: (Verdict, String, Option<Digest>),
}

impl Outcome {
    /// Before the first run.
    pub fn of(token: &ReplayToken) -> Self {
        let then = &token.outcome;
        Self {
            replay_token: token.id,
            result: Replayed::Reproduced,
            reproduced: 0,
            same_verdict_other_schedule: 0,
            not_reproduced: 0,
            differences: Vec::new(),
            runs: Vec::new(),
            divergence: Vec::new(),
            kernel_log: None,
            then: (then.verdict, then.headline.clone(), then.digest),
        }
    }

    /// Counts a run.
    pub fn add(&mut self, run: Run, differences: Vec<String>) {
        let count = match run.result {
            Replayed::Reproduced => &mut self.reproduced,
            Replayed::OtherSchedule => &mut self.same_verdict_other_schedule,
            Replayed::NotReproduced => &mut self.not_reproduced,
        };
        *count += 1;
        self.result = self.result.max(run.result);
        let new = differences.into_iter().filter(|line| !self.differences.contains(line));
        let new: Vec<String> = new.collect();
        self.differences.extend(new);
        self.runs.push(run);
    }

    /// The end of what is printed for a person.
    pub fn text(&self) -> String {
        let mut lines: Vec<String> =
            self.differences.iter().map(|line| format!("different here: {line}")).collect();
        let (verdict, headline, digest) = &self.then;
        if self.result != Replayed::Reproduced
            && let Some(run) = self.runs.iter().find(|run| run.result == self.result)
        {
            let shown =
                |digest: Option<Digest>| digest.map_or("no digest".to_owned(), |d| format!("digest {d}"));
            let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
            lines.push(format!("then: {verdict}, {}, {}", shown(*digest), first(headline)));
            lines.push(format!("here: {}, {}, {}", run.verdict, shown(run.digest), first(&run.headline)));
            if !run.is_identified {
                lines.push("which programs ran here is not known, so they were not compared".to_owned());
            } else if self.differences.is_empty() {
                lines.push("nothing that is known to matter is different here".to_owned());
            }
        }
        if self.runs.iter().any(|run| run.result == Replayed::Reproduced && run.digest.is_none()) {
            lines.push("ended in the same way; there was no digest to compare".to_owned());
        }
        if !self.divergence.is_empty() {
            lines.push("where they went apart (one run: then, the other: here):".to_owned());
            lines.extend(self.divergence.iter().map(|line| format!("  {line}")));
        }
        let counts = [
            (self.reproduced, Replayed::Reproduced),
            (self.same_verdict_other_schedule, Replayed::OtherSchedule),
            (self.not_reproduced, Replayed::NotReproduced),
        ];
        let total = self.runs.len();
        lines.push(match total {
            1 => format!("{}: {}", self.replay_token, self.result),
            _ => {
                let counted = counts.into_iter().filter(|(count, _)| *count > 0);
                let counted: Vec<String> =
                    counted.map(|(count, result)| format!("{result} {count} of {total}")).collect();
                format!("{}: {}", self.replay_token, counted.join("; "))
            }
        });
        lines.join("\n")
    }

    /// 0, 3 or 4, as the help says.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.result.exit_code())
    }
}

#[cfg(test)]
mod tests {
    use ktstr_results::Identities;

    use super::*;
    use crate::replay::testing::{record, token};

    fn outcome(records: &[Record]) -> Outcome {
        let token = token();
        let mut outcome = Outcome::of(&token);
        for record in records {
            outcome.add(Run::of(&token, record, "/r/x.json".into()), token.differences(record));
        }
        outcome
    }

    #[test]
    fn a_failure_that_comes_again_needs_one_line() {
        assert_eq!(outcome(&[record()]).text(), format!("{}: reproduced", token().id));
        assert!(outcome(&[record(), record()]).text().ends_with(": reproduced 2 of 2"));
        assert_eq!(outcome(&[record()]).result, Replayed::Reproduced);
    }

    #[test]
    fn what_is_otherwise_is_shown_beside_what_was() {
        let other = Record { digest: Some(Digest::of(b"other")), ..record() };
        let mut passed = Record { verdict: Verdict::Pass, cause: Cause::ChecksHeld, ..record() };
        passed.headline = "every check held".into();
        passed.plan.as_mut().unwrap().order.seed = 8;
        let id = token().id.to_string();
        let text =
            [outcome(&[record(), other.clone()]), outcome(&[other, passed])].map(|outcome| outcome.text());
        insta::assert_snapshot!(text.join("\n\n").replace(&id, "TOKEN"), @"
        then: fail, digest 0bf474896363505e5ea5e5d6ace8ebfb, the kernel disabled the scheduler: runnable task stall
        here: fail, digest d9298a10d1b0735837dc4bd85dac641b, the kernel disabled the scheduler: runnable task stall
        nothing that is known to matter is different here
        TOKEN: reproduced 1 of 2; same verdict, other schedule 1 of 2

        different here: the run's seed: 7 then, 8 here
        then: fail, digest 0bf474896363505e5ea5e5d6ace8ebfb, the kernel disabled the scheduler: runnable task stall
        here: pass, digest 0bf474896363505e5ea5e5d6ace8ebfb, every check held
        TOKEN: same verdict, other schedule 1 of 2; not reproduced 1 of 2
        ");
    }

    #[test]
    fn what_is_not_known_is_not_called_equal() {
        let passed = Record { verdict: Verdict::Pass, cause: Cause::ChecksHeld, ..record() };
        let unknown = outcome(&[Record { identities: None, ..passed.clone() }]).text();
        assert!(unknown.contains("which programs ran here is not known"), "{unknown}");
        assert!(!unknown.contains("nothing that is known"), "{unknown}");
        let scheduler = Some("f".repeat(64));
        let payload = "e".repeat(64);
        let fixed =
            Record { identities: Some(Identities { scheduler, payload, ..Identities::default() }), ..passed };
        let fixed = outcome(&[fixed]).text();
        assert!(fixed.contains("different here: the scheduler: none then, ffffffffffff here"), "{fixed}");
        let mut crashed = record();
        crashed.digest = None;
        let token = ReplayToken::of(&crashed).unwrap();
        let mut outcome = Outcome::of(&token);
        outcome.add(Run::of(&token, &crashed, "/r/x.json".into()), Vec::new());
        assert!(outcome.text().starts_with("ended in the same way; there was no digest to compare\n"));
    }

    #[test]
    fn scripts_get_the_worst_result_and_the_counts() {
        let passed = Record { verdict: Verdict::Pass, cause: Cause::ChecksHeld, ..record() };
        let outcome = outcome(&[record(), passed]);
        let json = serde_json::to_value(&outcome).unwrap();
        assert_eq!((&json["result"], &json["reproduced"]), (&"not-reproduced".into(), &1.into()));
        assert_eq!(json["runs"][1]["record"], "/r/x.json");
        assert!(json.get("kernel_log").is_none());
        assert_eq!(outcome.exit_code(), ExitCode::from(4));
    }
}
