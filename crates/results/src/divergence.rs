//! Where two runs that should have been equal went apart: the first event, in the guest's time, that only one of them has.

use ktstr_model::{RunReport, WorkerEvent, WorkerReport};
use serde::Serialize;
use serde_json::Value;

/// Equal events that are shown before the first different one.
const SHOWN_BEFORE: usize = 5;
/// Different figures that are shown when all events are equal.
const SHOWN_FIGURES: usize = 8;

/// The first difference between two runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Divergence {
    /// An event differs.
    Event {
        /// When the earlier of the two was, in nanoseconds of the guest's clock.
        at_ns: u64,
        /// What each run has there.
        sides: [String; 2],
        /// Checkpoints right before it that were passed and not kept: the runs may have gone apart there.
        unseen: u32,
        /// The events before it, which are the same in both.
        before: Vec<String>,
    },
    /// The events that were kept are the same, and these figures are not: name, one side, other side.
    Figures(Vec<(String, String, String)>),
}

impl Divergence {
    /// The difference in lines for a person.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Event { at_ns, sides: [one, other], unseen, before } => {
                let title = format!("the first difference is at {} of the guest's clock", seconds(*at_ns));
                let mut lines = vec![title, format!("  one run:   {one}"), format!("  the other: {other}")];
                if *unseen > 0 {
                    lines.push(format!(
                        "  or at a checkpoint right before it that was not kept; there are {unseen}"
                    ));
                }
                lines.push(match before.is_empty() {
                    true => "  no event was before it".to_owned(),
                    false => "  before it, in both:".to_owned(),
                });
                lines.extend(before.iter().map(|event| format!("    {event}")));
                lines
            }
            Self::Figures(figures) => {
                let title = "every event that was kept is the same in both; what differs is".to_owned();
                let line =
                    |(name, one, other): &(String, String, String)| format!("  {name}: {one} and {other}");
                std::iter::once(title).chain(figures.iter().map(line)).collect()
            }
        }
    }
}

/// Compares two runs event by event in the order of the guest's clock; `None` when they are equal.
pub fn first_divergence(one: &RunReport, other: &RunReport) -> Option<Divergence> {
    if one == other {
        return None;
    }
    let reports = [one, other];
    let timelines = [timeline(one, other), timeline(other, one)];
    let lengths = timelines[0].len().max(timelines[1].len());
    let differing = (0..lengths).find(|at| timelines[0].get(*at) != timelines[1].get(*at));
    let Some(at) = differing else {
        return Some(Divergence::Figures(figures(one, other)));
    };
    let first = match (timelines[0].get(at), timelines[1].get(at)) {
        (Some(a), Some(b)) => usize::from(b < a),
        (Some(_), None) => 0,
        _ => 1,
    };
    let event = &timelines[first][at];
    // The other run's next event of the same worker tells more than whatever happens to be at the same place.
    let next = timelines[1 - first][at..].iter().find(|next| next.what.is_of_same(&event.what));
    let mut sides = [event.text(reports[first]), String::new()];
    sides[1] = match next {
        Some(next) => next.text(reports[1 - first]),
        None => format!("nothing more of {}", event.what.actor(reports[first])),
    };
    if first == 1 {
        sides.swap(0, 1);
    }
    let before = timelines[0][at.saturating_sub(SHOWN_BEFORE)..at].iter();
    Some(Divergence::Event {
        at_ns: event.at_ns,
        sides,
        unseen: event.what.unseen(one, other),
        before: before.map(|event| event.text(one)).collect(),
    })
}

/// Something that a run did. The order of the fields is that of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Event<'a> {
    at_ns: u64,
    what: What<'a>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What<'a> {
    Scenario { place: &'a str, what: &'a str, ended: bool },
    SchedulerDied,
    Kernel(&'a str),
    Checkpoint { worker: usize, count: u32, cpu: u32 },
    Migration { worker: usize, from: u32, to: u32 },
}

impl What<'_> {
    fn worker(&self) -> Option<usize> {
        match self {
            Self::Checkpoint { worker, .. } | Self::Migration { worker, .. } => Some(*worker),
            _ => None,
        }
    }

    /// Checkpoints that lie between this one and the one before it in a timeline of these runs.
    fn unseen(&self, one: &RunReport, other: &RunReport) -> u32 {
        match self {
            Self::Checkpoint { worker, .. } => common_stride(*worker, one, other) - 1,
            _ => 0,
        }
    }

    fn is_of_same(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self.worker() == other.worker()
    }

    fn actor(&self, report: &RunReport) -> String {
        match self {
            Self::Scenario { .. } => "the scenario".to_owned(),
            Self::SchedulerDied => "the scheduler".to_owned(),
            Self::Kernel(_) => "the kernel on sched_ext".to_owned(),
            Self::Checkpoint { worker, .. } | Self::Migration { worker, .. } => {
                report.workers.get(*worker).map_or_else(|| format!("worker {worker}"), name)
            }
        }
    }
}

fn name(worker: &WorkerReport) -> String {
    let WorkerReport { cgroup, index, work, .. } = worker;
    let place = if cgroup.is_empty() { "outside of all cgroups".to_owned() } else { format!("of {cgroup}") };
    format!("worker {index} {place} ({work})")
}

impl Event<'_> {
    fn text(&self, report: &RunReport) -> String {
        let actor = self.what.actor(report);
        let what = match &self.what {
            What::Scenario { place, what, ended } => {
                format!("{place} {}: {what}", if *ended { "ends" } else { "begins" })
            }
            What::SchedulerDied => "was disabled or ended".to_owned(),
            What::Kernel(line) => format!("said {line}"),
            What::Checkpoint { count, cpu, .. } => format!("on CPU {cpu}, checkpoint {count}"),
            What::Migration { from, to, .. } => format!("moved from CPU {from} to {to}"),
        };
        format!("{} {actor} {what}", seconds(self.at_ns))
    }
}

fn seconds(ns: u64) -> String {
    format!("{}.{:09} s", ns / 1_000_000_000, ns % 1_000_000_000)
}

/// All that a run did, in the order of the guest's clock. A worker's checkpoints are thinned out as far as in the `other`
/// run, which may have kept fewer.
fn timeline<'a>(report: &'a RunReport, other: &RunReport) -> Vec<Event<'a>> {
    let mut events = Vec::new();
    for (worker, reported) in report.workers.iter().enumerate() {
        let stride = common_stride(worker, report, other);
        let kept = reported.events.iter().filter(|event| event.count.is_multiple_of(stride));
        events.extend(kept.map(|&WorkerEvent { at_ns, cpu, count }| Event {
            at_ns,
            what: What::Checkpoint { worker, count, cpu },
        }));
        events.extend(reported.migration_log.iter().map(|migration| Event {
            at_ns: migration.at_ns,
            what: What::Migration { worker, from: migration.from, to: migration.to },
        }));
    }
    for stimulus in &report.stimuli {
        let (place, what) = (stimulus.place.as_str(), stimulus.what.as_str());
        for (at_ns, ended) in [(stimulus.began_ns, false), (stimulus.ended_ns, true)] {
            events.push(Event { at_ns, what: What::Scenario { place, what, ended } });
        }
    }
    if let Some(at_ns) = report.scheduler.as_ref().and_then(|scheduler| scheduler.died_at_ns) {
        events.push(Event { at_ns, what: What::SchedulerDied });
    }
    for line in &report.sched_ext_log {
        let (at_ns, text) = stamped(line).unwrap_or((0, line));
        events.push(Event { at_ns, what: What::Kernel(text) });
    }
    events.sort();
    events
}

/// Checkpoints from one to the next that both runs kept of a worker, 1 or more.
fn common_stride(worker: usize, one: &RunReport, other: &RunReport) -> u32 {
    let strides = [one, other].map(|run| run.workers.get(worker).map_or(1, |worker| worker.event_stride));
    strides[0].max(strides[1]).max(1)
}

/// The time, in microseconds' precision, and the text of a line as dmesg prints it: `[    5.140900] text`.
fn stamped(line: &str) -> Option<(u64, &str)> {
    let (time, text) = line.strip_prefix('[')?.split_once("] ")?;
    let (seconds, micros) = time.trim().split_once('.')?;
    let (seconds, micros): (u64, u64) = (seconds.parse().ok()?, micros.parse().ok()?);
    Some((seconds.checked_mul(1_000_000_000)?.checked_add(micros.checked_mul(1_000)?)?, text))
}

/// The first figures that differ, by their names in a report's JSON.
fn figures(one: &RunReport, other: &RunReport) -> Vec<(String, String, String)> {
    let [one, other] = [one, other].map(|report| serde_json::to_value(report).unwrap_or_default());
    let mut found = Vec::new();
    differing("", &one, &other, &mut found);
    // It follows from the others.
    found.retain(|(name, ..)| name != "digest");
    found.truncate(SHOWN_FIGURES);
    found
}

fn differing(name: &str, one: &Value, other: &Value, found: &mut Vec<(String, String, String)>) {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            let dot = if name.is_empty() { "" } else { "." };
            a.iter().for_each(|(key, value)| differing(&format!("{name}{dot}{key}"), value, &b[key], found));
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            pairs.for_each(|(at, (a, b))| differing(&format!("{name}[{at}]"), a, b, found));
        }
        _ if one != other => found.push((name.to_owned(), shown(one), shown(other))),
        _ => {}
    }
}

/// A value that fits on a line.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(values) if values.len() > 4 => format!("{} values", values.len()),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests;
