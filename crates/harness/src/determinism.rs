//! Whether two deterministic runs of one plan were equal.

use std::fmt;

use ktstr_model::{Cause, RunReport, Verdict};
use ktstr_results::first_divergence;
use ktstr_results::replay::what_happened;

use crate::error::HarnessError;
use crate::evidence::Evidence;
use crate::judge::{Judgement, judge};

/// Two runs of one plan that differ.
#[derive(Clone, Debug, PartialEq)]
pub struct NotEqual {
    /// What the run is judged as.
    pub judgement: Judgement,
    /// The first difference, line by line.
    pub divergence: Vec<String>,
}

/// In what two runs of one plan are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Equal {
    /// In all that the guest reported, and in how they ended.
    Digest,
    /// In how they ended; they left no report.
    End,
}

impl fmt::Display for Equal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Digest => "ran twice: the two runs are equal",
            Self::End => "ran twice: the two runs ended in the same way; there was no digest to compare",
        })
    }
}

/// Compares two runs of one plan. Equal digests alone make no equal runs: what the kernel's log says of an oops is no part
/// of them.
///
/// # Errors
/// How they differ, when they do.
pub fn compare(first: &Evidence, second: &Evidence) -> Result<Equal, NotEqual> {
    let reports = [first, second].map(report_of);
    let ends = [first, second].map(judge);
    let (headline, divergence) = match reports {
        [Some(one), Some(other)] if one.digest != other.digest => {
            let headline =
                format!("two runs of one plan differ: digest {}, then {}", one.digest, other.digest);
            (headline, first_divergence(one, other).map_or_else(Vec::new, |first| first.lines()))
        }
        [Some(_), Some(_)] if is_same_end(&ends) => return Ok(Equal::Digest),
        [None, None] if is_same_end(&ends) => return Ok(Equal::End),
        _ => {
            let [one, other] = ends.map(|end| end.headline);
            (
                "two runs of one plan end differently".to_owned(),
                vec![format!("one run:   {one}"), format!("the other: {other}")],
            )
        }
    };
    Err(NotEqual { judgement: Judgement::new(Cause::NotDeterministic, headline), divergence })
}

fn is_same_end([one, other]: &[Judgement; 2]) -> bool {
    one.cause == other.cause
        && what_happened(one.cause, &one.headline) == what_happened(other.cause, &other.headline)
}

/// What is known of a run once a second one was made of its plan, or tried to.
pub(crate) struct Checked {
    /// What the run is judged as.
    pub judgement: Judgement,
    /// What the second run came to.
    pub note: String,
    /// The first difference, line by line.
    pub divergence: Vec<String>,
}

/// What a second run makes of the judgement on the first. A second run that was lost takes nothing from the first; but one
/// that passed has not been checked as it should have been.
pub(crate) fn check(judged: Judgement, first: &Evidence, second: &Result<Evidence, HarnessError>) -> Checked {
    let alone = format!("the first run alone: {}", judged.headline);
    let error = match second {
        Ok(second) => {
            return match compare(first, second) {
                Ok(equal) => Checked { judgement: judged, note: equal.to_string(), divergence: Vec::new() },
                Err(NotEqual { judgement, divergence }) => Checked { judgement, note: alone, divergence },
            };
        }
        Err(error) => error,
    };
    let lost = format!("the second run, which checks the determinism of the first, was lost: {error}");
    let (judgement, note) = match judged.cause.verdict() {
        Verdict::Pass => {
            (Judgement { cause: Cause::LostReport, headline: lost, details: judged.details }, alone)
        }
        _ => (judged, lost),
    };
    Checked { judgement, note, divergence: Vec::new() }
}

fn report_of(evidence: &Evidence) -> Option<&RunReport> {
    evidence.report.as_ref()?.as_ref().ok()
}

#[cfg(test)]
mod tests {
    use ktstr_model::{AssertResult, WorkerReport};
    use ktstr_vm::Stop;

    use super::*;

    fn reported(at_ns: u64) -> Evidence {
        let worker = WorkerReport {
            cgroup: "cell_0".into(),
            work: "SpinWait".into(),
            events: vec![(1_000, 0, 1).into(), (at_ns, 0, 2).into()],
            event_stride: 1,
            ..WorkerReport::default()
        };
        let report = RunReport { workers: vec![worker], ..RunReport::of_result(Ok(AssertResult::pass())) };
        Evidence { stop: Some(Stop::Guest), report: Some(Ok(report.with_digest())), ..Evidence::default() }
    }

    fn stopped(stop: Stop) -> Evidence {
        Evidence { stop: Some(stop), ..Evidence::default() }
    }

    #[test]
    fn equal_runs_are_equal_with_or_without_a_report() {
        assert_eq!(compare(&reported(2_000), &reported(2_000)), Ok(Equal::Digest));
        let hung = |within: &str| stopped(Stop::Deadline(within.into()));
        assert_eq!(compare(&hung("180 s"), &hung("180 s")), Ok(Equal::End));
        assert_eq!(compare(&hung("180 s"), &hung("8 s")), Ok(Equal::End), "when it is noticed is the host's");
    }

    #[test]
    fn runs_that_end_otherwise_are_not_equal() {
        let said = |line: &str, evidence: Evidence| Evidence { kernel_log: line.into(), ..evidence };
        let panicked = |why: &str| {
            let line = format!("[    2.0] Kernel panic - not syncing: {why}");
            said(&line, stopped(Stop::Shutdown("guest-reset".into())))
        };
        assert_eq!(compare(&panicked("a"), &panicked("a")), Ok(Equal::End));
        let differ = |first: &Evidence, second: &Evidence| compare(first, second).unwrap_err().divergence;
        let lines = differ(&panicked("a"), &panicked("b"));
        assert!(lines[0].ends_with("not syncing: a") && lines[1].ends_with("not syncing: b"), "{lines:?}");
        let oops = "[    2.0] BUG: unable to handle page fault for address: 0";
        let lines = differ(&reported(2_000), &said(oops, reported(2_000)));
        assert!(lines[0].ends_with("every check held") && lines[1].contains("an oops"), "{lines:?}");
    }

    #[test]
    fn a_second_run_that_is_lost_leaves_the_first_what_it_is() {
        let lost = || Err(HarnessError::Order("too long".into()));
        let checked = |cause| check(Judgement::new(cause, "before"), &reported(2_000), &lost());
        let failed = checked(Cause::SchedulerDied);
        assert_eq!(failed.judgement, Judgement::new(Cause::SchedulerDied, "before"));
        assert!(
            failed.note.starts_with("the second run, ") && failed.note.ends_with("too long"),
            "{}",
            failed.note
        );
        let passed = checked(Cause::ChecksHeld);
        assert_eq!((passed.judgement.cause, passed.judgement.headline), (Cause::LostReport, failed.note));
        assert_eq!(passed.note, "the first run alone: before");
        let equal = check(failed.judgement, &reported(2_000), &Ok(reported(2_000)));
        assert_eq!(equal.note, "ran twice: the two runs are equal");
        let other = check(equal.judgement, &reported(2_000), &Ok(reported(2_004)));
        assert_eq!((other.judgement.cause, other.divergence.len()), (Cause::NotDeterministic, 5));
    }

    #[test]
    fn a_difference_is_broken_and_shown() {
        let told = |first: &Evidence, second: &Evidence| {
            let NotEqual { judgement, divergence } = compare(first, second).unwrap_err();
            assert_eq!(judgement.cause, Cause::NotDeterministic);
            let text = format!("{}\n{}", judgement.headline, divergence.join("\n"));
            let digest = |evidence| report_of(evidence).map_or_else(String::new, |r| r.digest.to_string());
            let named = [(digest(first), "ONE"), (digest(second), "OTHER")];
            let shown = named.into_iter().filter(|(digest, _)| !digest.is_empty());
            shown.fold(text, |text, (digest, name)| text.replace(&digest, name))
        };
        insta::assert_snapshot!(told(&reported(2_000), &reported(2_004)), @r"
        two runs of one plan differ: digest ONE, then OTHER
        the first difference is at 0.000002000 s of the guest's clock
          one run:   0.000002000 s worker 0 of cell_0 (SpinWait) on CPU 0, checkpoint 2
          the other: 0.000002004 s worker 0 of cell_0 (SpinWait) on CPU 0, checkpoint 2
          before it, in both:
            0.000001000 s worker 0 of cell_0 (SpinWait) on CPU 0, checkpoint 1
        ");
        insta::assert_snapshot!(told(&reported(2_000), &stopped(Stop::Deadline("180 s".into()))), @r"
        two runs of one plan end differently
        one run:   every check held
        the other: the guest did not finish within 180 s; it hung before the test process was started
        ");
    }
}
