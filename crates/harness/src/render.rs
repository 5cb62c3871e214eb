//! What a person reads when a run has ended.

use std::fmt::Write as _;
use std::path::Path;

use ktstr_model::{Cause, GuestFailure, MetricValue, Polarity, RunReport, Stimulus, Verdict, format_ns};
use ktstr_results::Record;

use crate::evidence::{Evidence, LOG_FILES};
use crate::judge::Judgement;

/// Last lines of a log that are shown; the whole is saved.
const SHOWN: usize = 20;

/// One line that says how a run went.
pub fn line(record: &Record) -> String {
    let machine = match (record.topology, &record.kernel, record.mode) {
        (Some(topology), Some(kernel), Some(mode)) => {
            format!(
                "{} on {topology}, kernel {}, {mode}, seed {}",
                record.scheduler, kernel.release, record.seed
            )
        }
        _ if record.on_host => "on the host".to_owned(),
        _ => record.scheduler.clone(),
    };
    let digest = record.digest.map(|digest| format!(", digest {digest}")).unwrap_or_default();
    let name = record.cell.as_ref().unwrap_or(&record.test);
    format!("{}: {name} ({machine}{digest})", record.verdict.to_string().to_uppercase())
}

/// What a run that passed says: its line, the figures of external programs, and its notes.
pub fn pass(record: &Record) -> String {
    let mut text = line(record) + "\n";
    metrics(&mut text, record);
    notes(&mut text, record);
    text.trim_end().to_owned()
}

/// The whole report of a run that did not pass.
pub fn report(
    record: &Record,
    judgement: &Judgement,
    evidence: Option<&Evidence>,
    saved: Option<&Path>,
    backtrace: &[String],
) -> String {
    let mut text = line(record) + "\n";
    for line in judgement.headline.lines() {
        let _ = writeln!(text, "  {}", printable(line));
    }
    violations(&mut text, judgement);
    notes(&mut text, record);
    metrics(&mut text, record);
    stimuli(&mut text, record);
    if let Some(Ok(report)) = evidence.and_then(|evidence| evidence.report.as_ref()) {
        section(&mut text, "cgroups", ktstr_checks::cgroup_table(&report.workers).lines());
    }
    section(&mut text, "backtrace", backtrace.iter().map(String::as_str));
    if let Some(evidence) = evidence {
        logs(&mut text, judgement, evidence);
    }
    if let Some(saved) = saved {
        let _ = writeln!(text, "  saved in {}: {}", saved.display(), LOG_FILES.join(", "));
    }
    text
}

fn violations(text: &mut String, judgement: &Judgement) {
    let title = if judgement.cause == Cause::CheckViolated { "violations" } else { "consequences" };
    section(text, title, judgement.details.iter().flat_map(|detail| detail.message.lines()));
}

fn notes(text: &mut String, record: &Record) {
    section(text, "notes", record.notes.iter().map(String::as_str));
    if record.scheduler_report.as_ref().is_some_and(|scheduler| scheduler.ignored_sigint) {
        section(text, "notes", ["the scheduler did not heed SIGINT and was killed"].into_iter());
    }
}

/// The figures of external programs.
fn metrics(text: &mut String, record: &Record) {
    let lines: Vec<String> = record.metrics.iter().map(metric_line).collect();
    section(text, "metrics", lines.iter().map(String::as_str));
}

fn metric_line(metric: &MetricValue) -> String {
    let place = if metric.cgroup.is_empty() { String::new() } else { format!(" in {}", metric.cgroup) };
    let better = match metric.polarity {
        Polarity::HigherBetter => ", higher is better",
        Polarity::LowerBetter => ", lower is better",
        Polarity::Neutral => "",
    };
    let unit = if metric.unit.is_empty() { String::new() } else { format!(" {}", metric.unit) };
    format!("{}{place}: {} = {}{unit}{better}", metric.payload, metric.name, metric.value)
}

/// What the scenario did, with times after its beginning.
fn stimuli(text: &mut String, record: &Record) {
    let began_ns = record.stimuli.first().map_or(0, |first| first.began_ns);
    let lines: Vec<String> =
        record.stimuli.iter().map(|stimulus| stimulus_line(stimulus, began_ns)).collect();
    section(text, "the scenario", lines.iter().map(String::as_str));
}

fn stimulus_line(stimulus: &Stimulus, began_ns: u64) -> String {
    let at = format_ns(stimulus.began_ns.saturating_sub(began_ns));
    let took = format_ns(stimulus.ended_ns.saturating_sub(stimulus.began_ns));
    format!("at {at}, {}: {} (took {took})", stimulus.place, stimulus.what)
}

fn logs(text: &mut String, judgement: &Judgement, evidence: &Evidence) {
    if let Some(Ok(report)) = &evidence.report {
        section(text, "the kernel on sched_ext", last(report.sched_ext_log.iter().map(String::as_str)));
    }
    section(text, "scheduler's output, last lines", last(evidence.scheduler_log.lines()));
    section(text, "test's output, last lines", last(evidence.test_log.lines()));
    if judgement.cause.verdict() == Verdict::Broken {
        section(text, "console, last lines", last(evidence.console.lines()));
        section(text, "kernel log, last lines", last(evidence.kernel_log.lines()));
    }
}

fn last<'a>(lines: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let lines: Vec<&str> = lines.filter(|line| !line.trim().is_empty()).collect();
    let skipped = lines.len().saturating_sub(SHOWN);
    lines.into_iter().skip(skipped)
}

pub(crate) fn section<'a>(text: &mut String, title: &str, lines: impl Iterator<Item = &'a str>) {
    let mut lines = lines.peekable();
    if lines.peek().is_none() {
        return;
    }
    let _ = writeln!(text, "  {title}:");
    for line in lines {
        let _ = writeln!(text, "    {}", printable(line));
    }
}

/// A line without the control characters that a guest may have written to our user's terminal.
fn printable(line: &str) -> String {
    line.chars().filter(|letter| *letter == '\t' || !letter.is_control()).collect()
}

/// The stack of a panic, if the run ended with one.
pub fn panic_frames(report: &RunReport) -> &[ktstr_model::GuestFrame] {
    match &report.result {
        Err(GuestFailure::TestPanic { frames, .. }) => frames,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_with_all_that_reading_them_takes() {
        let mut record = Record::begun("t".into(), "eevdf", 1);
        let metric = |name: &str, unit: &str, polarity, cgroup: &str| MetricValue {
            name: name.into(),
            value: 1.25,
            unit: unit.into(),
            polarity,
            payload: "bench".into(),
            cgroup: cgroup.into(),
        };
        record.metrics = vec![
            metric("time", "s", Polarity::LowerBetter, "cell"),
            metric("rounds", "", Polarity::HigherBetter, ""),
            metric("cpus", "", Polarity::Neutral, ""),
        ];
        insta::assert_snapshot!(pass(&record), @r"
        BROKEN: t (eevdf)
          metrics:
            bench in cell: time = 1.25 s, lower is better
            bench: rounds = 1.25, higher is better
            bench: cpus = 1.25
        ");
    }

    #[test]
    fn what_the_scenario_did_is_told_with_times_after_its_beginning() {
        let mut record = Record::begun("t".into(), "eevdf", 1);
        let stimulus = |ms: u64, place: &str, what: &str| Stimulus {
            began_ns: ms * 1_000_000,
            ended_ns: (ms + 2) * 1_000_000,
            place: place.into(),
            what: what.into(),
        };
        record.stimuli =
            vec![stimulus(7000, "step 1", "sets up cell"), stimulus(7500, "step 2, op 1", "CpuOffline 3")];
        let mut text = String::new();
        stimuli(&mut text, &record);
        assert_eq!(
            text,
            "  the scenario:\n    at 0 ns, step 1: sets up cell (took 2.00 ms)\n    at 500.00 ms, step 2, op 1: \
             CpuOffline 3 (took 2.00 ms)\n"
        );
    }
}
