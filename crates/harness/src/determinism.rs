//! Whether two deterministic runs of one plan were equal.

use ktstr_model::{Cause, RunReport};
use ktstr_results::first_divergence;

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

/// Compares two runs of one plan; `None` when they are equal: the same digest or, of runs that left no report, the same
/// end.
pub fn compare(first: &Evidence, second: &Evidence) -> Option<NotEqual> {
    let [one, other] = [first, second].map(report_of);
    let (headline, divergence) = match (one, other) {
        (Some(one), Some(other)) if one.digest == other.digest => return None,
        (Some(one), Some(other)) => {
            let headline =
                format!("two runs of one plan differ: digest {}, then {}", one.digest, other.digest);
            (headline, first_divergence(one, other).map_or_else(Vec::new, |first| first.lines()))
        }
        _ => {
            let ends = [first, second].map(judge);
            if one.is_none() && other.is_none() && ends[0].cause == ends[1].cause {
                return None;
            }
            let [one, other] = ends.map(|end| end.headline);
            (
                "two runs of one plan end differently".to_owned(),
                vec![format!("one run:   {one}"), format!("the other: {other}")],
            )
        }
    };
    Some(NotEqual { judgement: Judgement::new(Cause::NotDeterministic, headline), divergence })
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
        assert_eq!(compare(&reported(2_000), &reported(2_000)), None);
        let hung = || stopped(Stop::Deadline("180 s".into()));
        assert_eq!(compare(&hung(), &hung()), None);
    }

    #[test]
    fn a_difference_is_broken_and_shown() {
        let told = |first: &Evidence, second: &Evidence| {
            let NotEqual { judgement, divergence } = compare(first, second).unwrap();
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
