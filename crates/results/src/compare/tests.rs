use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::figure::{Figure, Polarity};

mod simulation;

/// A run of `test` under `scheduler` that passed, with these figures.
pub(crate) fn sample(test: &str, scheduler: &str, seed: u64, figures: &[(&str, f64)]) -> Sample {
    let figure = |(name, value): &(&str, f64)| {
        let polarity = match *name {
            "rate" => Polarity::HigherBetter,
            "moves" => Polarity::Neutral,
            _ => Polarity::LowerBetter,
        };
        Figure::new(*name, if *name == "share" { "%" } else { "" }, *value, polarity)
    };
    let json = json!({
        "test": test, "scheduler": scheduler, "seed": seed, "topology": "1n2l4c1t", "mode": "deterministic",
        "kernel": {"release": "7.3.4"}, "verdict": "pass", "cause": "checks-held", "began_unix_ms": 1,
    });
    let mut sample: Sample = serde_json::from_value(json).unwrap();
    sample.figures = figures.iter().map(figure).collect();
    sample
}

fn question(by: Dimension, a: &str, b: &str) -> Question {
    let thresholds = Thresholds::default();
    Question { by, a: a.into(), b: b.into(), ignored: Vec::new(), thresholds }
}

fn schedulers(samples: &[Sample]) -> Result<Comparison, String> {
    compare(samples, &question(Dimension::Scheduler, "a", "b")).map_err(|error| error.to_string())
}

/// Runs of one test under schedulers `a` and `b` with these values of a figure.
fn two_sides(name: &str, a: &[f64], b: &[f64]) -> Vec<Sample> {
    let side = |scheduler: &'static str, values: &[f64]| -> Vec<Sample> {
        let of = |(seed, value): (usize, &f64)| sample("t", scheduler, seed as u64, &[(name, *value)]);
        values.iter().enumerate().map(of).collect()
    };
    [side("a", a), side("b", b)].concat()
}

fn conclusion(name: &str, a: &[f64], b: &[f64]) -> Conclusion {
    let comparison = schedulers(&two_sides(name, a, b)).unwrap();
    let figure = comparison.cells[0].figures.iter().find(|figure| figure.name == name).unwrap();
    figure.conclusion
}

const LOW: [f64; 5] = [10.0, 10.2, 9.9, 10.1, 9.8];
const HIGH: [f64; 5] = [14.0, 14.3, 13.8, 14.1, 13.9];

#[test]
fn polarity_says_what_a_difference_means() {
    assert_eq!(conclusion("latency", &LOW, &HIGH), Conclusion::Worse);
    assert_eq!(conclusion("latency", &HIGH, &LOW), Conclusion::Better);
    assert_eq!(conclusion("rate", &LOW, &HIGH), Conclusion::Better);
    assert_eq!(conclusion("rate", &HIGH, &LOW), Conclusion::Worse);
    assert_eq!(conclusion("moves", &LOW, &HIGH), Conclusion::Differs);
    assert_eq!(conclusion("latency", &LOW, &LOW), Conclusion::Same);
}

#[test]
fn a_difference_that_does_not_matter_is_not_claimed() {
    // Certain, and too small: 2 % of the mean, and half a point of a share that doubles.
    let slightly = LOW.map(|value| value / 10.0 + 9.0);
    let more = slightly.map(|value| value + 0.2);
    assert_eq!(conclusion("latency", &slightly, &more), Conclusion::Same);
    assert_eq!(conclusion("share", &LOW.map(|v| v / 100.0), &LOW.map(|v| v / 100.0 + 0.5)), Conclusion::Same);
    assert_eq!(
        conclusion("share", &LOW.map(|v| v / 100.0), &LOW.map(|v| v / 100.0 + 1.5)),
        Conclusion::Worse
    );
}

#[test]
fn one_sample_a_side_concludes_nothing() {
    let comparison = schedulers(&two_sides("latency", &[1.0], &[100.0])).unwrap();
    assert!(comparison.is_inconclusive() && !comparison.has_regression());
    let figure = &comparison.cells[0].figures[1];
    assert_eq!((figure.interval, figure.effect, figure.p), (None, None, None));
    assert_eq!(conclusion("latency", &LOW, &[100.0]), Conclusion::TooFew);
}

#[test]
fn an_exact_figure_needs_one_sample() {
    let of = |scheduler: &str, value: f64| {
        let mut sample = sample("verifier/x", scheduler, 1, &[]);
        sample.figures = vec![Figure::new("insns/dispatch", "", value, Polarity::LowerBetter).exact()];
        sample
    };
    let conclusion =
        |b: f64| schedulers(&[of("a", 1000.0), of("b", b)]).unwrap().cells[0].figures[1].conclusion;
    assert_eq!(conclusion(1200.0), Conclusion::Worse);
    assert_eq!(conclusion(1010.0), Conclusion::Same);
    assert_eq!(conclusion(800.0), Conclusion::Better);
}

#[test]
fn repeats_of_one_digest_are_one_sample() {
    let mut samples = two_sides("latency", &[10.0; 4], &[20.0; 4]);
    for sample in &mut samples {
        let digest = if sample.scheduler == "a" { "0" } else { "1" };
        sample.digest = Some(digest.repeat(32).parse().unwrap());
    }
    let comparison = schedulers(&samples).unwrap();
    assert_eq!((comparison.repeats, comparison.is_inconclusive()), (6, true));
    // In real time equal digests would be a wonder, and every run is a sample.
    samples.iter_mut().for_each(|sample| sample.mode = Some(ktstr_model::Mode::RealTime));
    assert_eq!(schedulers(&samples).unwrap().repeats, 0);
}

#[test]
fn runs_that_now_fail_are_a_regression() {
    let mut samples = two_sides("latency", &LOW, &LOW);
    for sample in samples.iter_mut().filter(|sample| sample.scheduler == "b") {
        (sample.verdict, sample.cause) = (ktstr_model::Verdict::Fail, ktstr_model::Cause::SchedulerDied);
    }
    let comparison = schedulers(&samples).unwrap();
    let [passed] = &comparison.cells[0].figures[..] else { panic!("figures of runs that were cut short") };
    assert_eq!(
        (passed.name.as_str(), passed.conclusion, passed.change),
        ("passed", Conclusion::Worse, -100.0)
    );
}

#[test]
fn what_says_nothing_of_the_scheduler_is_left_out_and_counted() {
    let mut samples = two_sides("latency", &LOW, &HIGH);
    samples.push(Sample { verdict: ktstr_model::Verdict::Broken, ..samples[0].clone() });
    samples.push(sample("other", "a", 1, &[]));
    let comparison = schedulers(&samples).unwrap();
    assert_eq!((comparison.without_verdict, comparison.cells[0].samples_a), (1, 5));
    assert_eq!(
        comparison.only_a.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["other (1n2l4c1t, 7.3.4, deterministic, nogit)"]
    );
}

#[test]
fn sides_that_are_not_there_or_share_nothing_are_told() {
    let samples = two_sides("latency", &LOW, &HIGH);
    let error = |by, a: &str, b: &str| compare(&samples, &question(by, a, b)).unwrap_err().to_string();
    assert_eq!(error(Dimension::Scheduler, "a", "c"), "no record is of scheduler `c`; there are `a`, `b`");
    assert_eq!(
        error(Dimension::Kernel, "7.3.4", "7.3"),
        "both sides are kernel `7.3.4`: give two that differ"
    );
    let samples = [sample("x_a", "a", 1, &[]), sample("x_b", "b", 1, &[])];
    let error = compare(&samples, &question(Dimension::Scheduler, "a", "b")).unwrap_err().to_string();
    insta::assert_snapshot!(error);
    let ignoring = Question { ignored: vec![Dimension::Test], ..question(Dimension::Scheduler, "a", "b") };
    assert_eq!(compare(&samples, &ignoring).unwrap().cells.len(), 1);
}

#[test]
fn a_cell_prints_its_test_first() {
    let cell = |values: &[(Dimension, &str)]| {
        Cell(
            values
                .iter()
                .map(|(dimension, value)| (*dimension, (*value).to_owned()))
                .collect::<BTreeMap<_, _>>(),
        )
        .to_string()
    };
    assert_eq!(cell(&[(Dimension::Mode, "deterministic"), (Dimension::Test, "t")]), "t (deterministic)");
    assert_eq!(cell(&[(Dimension::Kernel, "7.3"), (Dimension::Scheduler, "s")]), "s, 7.3");
    assert_eq!((cell(&[(Dimension::Test, "t")]), cell(&[])), ("t".to_owned(), "all runs".to_owned()));
}

proptest! {
    #[test]
    fn swapping_sides_swaps_the_conclusion(
        a in prop::collection::vec(0.0..100.0, 2..8), b in prop::collection::vec(0.0..100.0, 2..8),
    ) {
        let swapped = match conclusion("latency", &b, &a) {
            Conclusion::Worse => Conclusion::Better,
            Conclusion::Better => Conclusion::Worse,
            other => other,
        };
        let there = conclusion("latency", &a, &b);
        // The change in percent is of side A, which is the only thing that is not symmetric; resampling draws anew.
        prop_assert!(there == swapped || there == Conclusion::Same || swapped == Conclusion::Same);
    }
}
