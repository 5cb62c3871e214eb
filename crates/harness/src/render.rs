//! What a person reads when a run has ended.

mod paint;
mod repeat;

use std::fmt::Write as _;
use std::path::Path;

use ktstr_model::{
    Cause, ExitHow, GuestFailure, MetricValue, Polarity, RunReport, SchedulerReport, Stimulus, Verdict,
    format_ns,
};
use ktstr_results::Record;

use crate::evidence::{Evidence, LOG_FILES};
use crate::judge::{Judgement, describe_noise, kernels_reason};

pub(crate) use paint::{for_stream, plain};
pub(crate) use repeat::{Started, command};

/// Last lines of a log that are shown; the whole is saved.
const SHOWN: usize = 20;
/// The same of the kernel's log where the kernel is not at fault.
const SHOWN_OF_KERNEL: usize = 8;

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
    format!("{}: {name} ({machine}{digest})", paint::verdict(record.verdict))
}

/// What a run that passed says: its line, the figures of external programs, and its notes.
pub fn pass(record: &Record) -> String {
    let mut text = line(record) + "\n";
    metrics(&mut text, record);
    notes(&mut text, record);
    let stopped = record.scheduler_report.as_ref().and_then(badly_stopped);
    section(&mut text, "scheduler", stopped.as_deref().into_iter());
    text.trim_end().to_owned()
}

const NOT_HEEDED: &str = "it did not heed SIGINT and was killed";

/// How the program of a scheduler that lived to the end stopped, unless it was by the SIGINT that it is sent: no verdict
/// depends on that, but a loader that crashes in its last lines has lost what it would have said there.
fn badly_stopped(scheduler: &SchedulerReport) -> Option<String> {
    const SIGINT: i32 = 2;
    let exit = scheduler.exit.filter(|_| scheduler.died_at_ns.is_none());
    match exit {
        _ if scheduler.ignored_sigint => Some(NOT_HEEDED.to_owned()),
        None | Some(ExitHow::Code(0) | ExitHow::Signal(SIGINT)) => None,
        // As shells report an end by the signal.
        Some(ExitHow::Code(code)) if code == 128 + SIGINT => None,
        Some(exit) => Some(format!("told to stop (SIGINT), its program {exit}")),
    }
}

/// What is known of a run beside its record and judgement.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// What the machine left.
    pub evidence: Option<&'a Evidence>,
    /// The folder in which its logs were saved.
    pub saved: Option<&'a Path>,
    /// The stack of a panic.
    pub backtrace: &'a [String],
    /// The command that repeats the run; empty when none does.
    pub repeat: &'a str,
}

/// The whole report of a run that did not pass.
pub fn report(record: &Record, judgement: &Judgement, beside: Beside<'_>) -> String {
    let mut text = line(record) + "\n";
    for line in judgement.headline.lines() {
        let _ = writeln!(text, "  {}", printable(line));
    }
    section(&mut text, "where they went apart", record.divergence.iter().map(String::as_str));
    violations(&mut text, judgement);
    let report = beside.evidence.and_then(|evidence| evidence.report.as_ref()?.as_ref().ok());
    if let Some(report) = report {
        section(&mut text, "cgroups", ktstr_checks::cgroup_table(&report.workers).lines());
        section(&mut text, "scheduler", scheduler(record, report).iter().map(String::as_str));
    }
    metrics(&mut text, record);
    notes(&mut text, record);
    noise(&mut text, record, judgement);
    stimuli(&mut text, record);
    section(&mut text, "backtrace", beside.backtrace.iter().map(String::as_str));
    if let Some(evidence) = beside.evidence {
        logs(&mut text, judgement, evidence);
    }
    if let Some(saved) = beside.saved {
        let title = paint::title("saved in");
        let _ = writeln!(text, "  {title} {}: {}", saved.display(), LOG_FILES.join(", "));
    }
    if !beside.repeat.is_empty() {
        let _ = writeln!(text, "  {} {}", paint::title("run it again:"), printable(beside.repeat));
    }
    if let Some(token) = record.replay_token {
        let _ = writeln!(text, "  repeat with: cargo ktstr replay {token}");
    }
    text
}

/// How the scheduler came up and went.
fn scheduler(record: &Record, report: &RunReport) -> Vec<String> {
    let Some(SchedulerReport { enabled_after_ns, ops, exit, died_at_ns, ignored_sigint, .. }) =
        &report.scheduler
    else {
        return Vec::new();
    };
    let known_as =
        ops.as_ref().map(|ops| format!(", which the kernel knows as `{ops}`,")).unwrap_or_default();
    let enabled = match enabled_after_ns {
        Some(ns) => format!("was enabled {} after its start", format_ns(*ns)),
        None => "was never enabled".to_owned(),
    };
    let mut lines = vec![format!("{}{known_as} {enabled}", record.scheduler)];
    if let Some(reason) = kernels_reason(&report.sched_ext_log) {
        lines.push(format!("the kernel disabled it: {reason}"));
    }
    if let Some(exit) = exit {
        let when = died_at_ns.map(|ns| format!(" at {} on the guest's clock, unasked", format_ns(ns)));
        lines.push(format!("its program {exit}{}", when.unwrap_or_default()));
    }
    if *ignored_sigint {
        lines.push(NOT_HEEDED.to_owned());
    }
    lines
}

/// In real-time mode, what the host did meanwhile: that it was quiet tells something too.
fn noise(text: &mut String, record: &Record, judgement: &Judgement) {
    let told = judgement.cause == Cause::NoisyHost || record.mode != Some(ktstr_model::Mode::RealTime);
    if let Some(noise) = record.noise.as_ref().filter(|_| !told) {
        section(text, "host", [describe_noise(noise).as_str()].into_iter());
    }
}

fn violations(text: &mut String, judgement: &Judgement) {
    let title = match judgement.cause {
        Cause::CheckViolated | Cause::NoisyHost => "violations",
        _ => "consequences",
    };
    let lines = judgement.details.iter().flat_map(|detail| detail.message.lines());
    // A single one is the headline; what is left are the last lines of a program, if any.
    let is_headline = |message: &str| {
        let first = message.lines().next().unwrap_or_default();
        judgement.headline.lines().any(|line| line.ends_with(first))
    };
    let told = matches!(&judgement.details[..], [only] if is_headline(&only.message));
    section(text, title, lines.skip(usize::from(told)));
}

fn notes(text: &mut String, record: &Record) {
    section(text, "notes", record.notes.iter().map(String::as_str));
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
    let broken = judgement.cause.verdict() == Verdict::Broken;
    if let Some(Ok(report)) = &evidence.report {
        section(
            text,
            "the kernel on sched_ext",
            last(report.sched_ext_log.iter().map(String::as_str), SHOWN),
        );
    }
    section(text, "scheduler's output, last lines", last(evidence.scheduler_log.lines(), SHOWN));
    section(text, "test's output, last lines", last(evidence.test_log.lines(), SHOWN));
    if broken {
        section(text, "console, last lines", last(evidence.console.lines(), SHOWN));
    }
    let shown = if broken { SHOWN } else { SHOWN_OF_KERNEL };
    section(text, "kernel log, last lines", last(evidence.kernel_log.lines(), shown));
}

fn last<'a>(lines: impl Iterator<Item = &'a str>, shown: usize) -> impl Iterator<Item = &'a str> {
    let lines: Vec<&str> = lines.filter(|line| !line.trim().is_empty()).collect();
    let skipped = lines.len().saturating_sub(shown);
    lines.into_iter().skip(skipped)
}

pub(crate) fn section<'a>(text: &mut String, title: &str, lines: impl Iterator<Item = &'a str>) {
    let mut lines = lines.peekable();
    if lines.peek().is_none() {
        return;
    }
    let _ = writeln!(text, "  {}", paint::title(&format!("{title}:")));
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
mod tests;
