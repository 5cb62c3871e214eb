//! Figures by which runs are compared.

use std::collections::BTreeMap;

pub use ktstr_model::Polarity;
use ktstr_model::{MetricValue, SchedulerReport};
use serde::{Deserialize, Serialize};

use crate::worker::WorkerFigures;

/// One figure of a run: what `cargo ktstr stats compare` compares.
///
/// A writer of records gives its own figures names of their own; a name with a slash, `PROGRAM/NAME`, is a figure of a
/// program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Its name.
    pub name: String,
    /// Its unit; empty when it has none.
    #[serde(default)]
    pub unit: String,
    /// Its value: a finite number.
    pub value: f64,
    /// Which way it is better.
    #[serde(default)]
    pub polarity: Polarity,
    /// Whether the same program on the same kernel always gives the same value, whatever the seed, as the number of
    /// instructions that the BPF verifier looks at: one sample a side is then enough to compare.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_exact: bool,
}

impl Figure {
    /// A figure that varies from run to run.
    pub fn new(name: impl Into<String>, unit: &str, value: f64, polarity: Polarity) -> Self {
        Self { name: name.into(), unit: unit.to_owned(), value, polarity, is_exact: false }
    }

    /// This figure as one that does not vary.
    #[must_use]
    pub fn exact(self) -> Self {
        Self { is_exact: true, ..self }
    }

    /// What workers and scheduler did, in figures. A figure that nothing was measured for is left out.
    pub fn of_run(workers: &[WorkerFigures], scheduler: Option<&SchedulerReport>) -> Vec<Self> {
        use Polarity::{HigherBetter, LowerBetter, Neutral};
        let figure = |name: &str, unit: &str, value: Option<f64>, polarity| {
            let value = value.filter(|value| value.is_finite())?;
            Some(Self::new(name, unit, value, polarity))
        };
        let measured: Vec<&WorkerFigures> = workers.iter().filter(|worker| worker.wall_ns > 0).collect();
        let largest = |of: fn(&WorkerFigures) -> Option<f64>| {
            measured.iter().filter_map(|worker| of(worker)).max_by(f64::total_cmp)
        };
        let rate = |of: fn(&WorkerFigures) -> u64| {
            let rates = measured.iter().map(|worker| of(worker) as f64 / (worker.wall_ns as f64 / 1e9));
            (!measured.is_empty()).then(|| rates.sum())
        };
        let enabled_ns = scheduler.and_then(|scheduler| scheduler.enabled_after_ns);
        let all = [
            figure("work_rate", "1/s", rate(|worker| worker.work_units), HigherBetter),
            figure("spread_pct", "%", spread_pct(&measured), LowerBetter),
            figure("max_gap_ms", "ms", largest(|worker| Some(worker.max_gap.ns as f64 / 1e6)), LowerBetter),
            figure("run_delay_pct", "%", run_delay_pct(&measured), LowerBetter),
            figure("wake_mean_us", "us", wake_mean_us(&measured), LowerBetter),
            figure(
                "wake_p99_us",
                "us",
                largest(|worker| Some(worker.wake_latency?.p99_ns as f64 / 1e3)),
                LowerBetter,
            ),
            figure("migrations", "1/s", rate(|worker| worker.migrations), Neutral),
            figure("llc_migrations", "1/s", rate(|worker| worker.llc_migrations), Neutral),
            figure("node_migrations", "1/s", rate(|worker| worker.node_migrations), Neutral),
            figure("enable_ms", "ms", enabled_ns.map(|ns| ns as f64 / 1e6), LowerBetter),
        ];
        all.into_iter().flatten().collect()
    }
}

impl From<&MetricValue> for Figure {
    /// The figure of an external program, as `bench/time`, or `bench in cell/time` when it ran in a cgroup.
    fn from(metric: &MetricValue) -> Self {
        let place = if metric.cgroup.is_empty() { String::new() } else { format!(" in {}", metric.cgroup) };
        let name = format!("{}{place}/{}", metric.payload, metric.name);
        Self::new(name, &metric.unit, metric.value, metric.polarity)
    }
}

/// The largest difference of off-CPU shares in one cgroup, in percent points.
fn spread_pct(workers: &[&WorkerFigures]) -> Option<f64> {
    let mut shares = BTreeMap::<&str, Vec<f64>>::new();
    workers.iter().for_each(|worker| shares.entry(&worker.cgroup).or_default().push(worker.off_cpu_pct));
    let spread = |shares: Vec<f64>| {
        let (least, most) =
            (shares.iter().copied().reduce(f64::min)?, shares.iter().copied().reduce(f64::max)?);
        (shares.len() > 1).then_some(most - least)
    };
    shares.into_values().filter_map(spread).max_by(f64::total_cmp)
}

/// Time runnable but not running, of all wall time, in percent.
fn run_delay_pct(workers: &[&WorkerFigures]) -> Option<f64> {
    let delays = workers.iter().filter_map(|worker| Some((worker.schedstat?.run_delay_ns, worker.wall_ns)));
    let (delay, wall) = delays.fold((0, 0), |(delay, wall), (d, w)| (delay + d, wall + w));
    (wall > 0).then(|| delay as f64 / wall as f64 * 100.0)
}

/// The mean of all wake latencies, in microseconds.
fn wake_mean_us(workers: &[&WorkerFigures]) -> Option<f64> {
    let times = workers.iter().filter_map(|worker| worker.wake_latency);
    let (sum, count) = times.fold((0.0, 0), |(sum, count), times| {
        (sum + times.mean_ns * times.count as f64, count + times.count)
    });
    (count > 0).then(|| sum / count as f64 / 1e3)
}

#[cfg(test)]
mod tests {
    use ktstr_model::{Gap, Schedstat};

    use super::*;
    use crate::times::Times;

    fn worker(cgroup: &str, off_cpu_pct: f64) -> WorkerFigures {
        WorkerFigures {
            cgroup: cgroup.into(),
            work_units: 300,
            wall_ns: 2_000_000_000,
            off_cpu_pct,
            max_gap: Gap { ns: off_cpu_pct as u64 * 1_000_000, ..Gap::default() },
            migrations: 4,
            ..WorkerFigures::default()
        }
    }

    #[test]
    fn figures_of_programs_have_their_names() {
        let metric = |cgroup: &str| MetricValue {
            name: "time".into(),
            value: 1.5,
            unit: "s".into(),
            polarity: Polarity::LowerBetter,
            payload: "bench".into(),
            cgroup: cgroup.into(),
        };
        assert_eq!(Figure::from(&metric("")), Figure::new("bench/time", "s", 1.5, Polarity::LowerBetter));
        assert_eq!(Figure::from(&metric("cell")).name, "bench in cell/time");
    }

    #[test]
    fn what_was_measured_becomes_figures() {
        let mut waker = worker("a", 30.0);
        waker.wake_latency = Some(Times { count: 3, mean_ns: 2000.0, p50_ns: 1, p99_ns: 9000, max_ns: 9000 });
        waker.schedstat = Some(Schedstat { run_delay_ns: 500_000_000, ..Schedstat::default() });
        let unmeasured = WorkerFigures { wall_ns: 0, off_cpu_pct: 100.0, ..worker("a", 0.0) };
        let workers = [worker("a", 10.0), waker, worker("b", 80.0), unmeasured];
        let scheduler = SchedulerReport { enabled_after_ns: Some(70_000_000), ..SchedulerReport::default() };
        let figures = Figure::of_run(&workers, Some(&scheduler));
        let values: Vec<(&str, f64)> =
            figures.iter().map(|figure| (figure.name.as_str(), figure.value)).collect();
        let expected = [
            ("work_rate", 450.0),
            ("spread_pct", 20.0),
            ("max_gap_ms", 80.0),
            ("run_delay_pct", 25.0),
            ("wake_mean_us", 2.0),
            ("wake_p99_us", 9.0),
            ("migrations", 6.0),
            ("llc_migrations", 0.0),
            ("node_migrations", 0.0),
            ("enable_ms", 70.0),
        ];
        assert_eq!(values, expected);
    }

    #[test]
    fn nothing_measured_no_figures() {
        assert_eq!(Figure::of_run(&[], None), []);
        let alone = Figure::of_run(&[worker("a", 1.0)], None);
        assert!(
            alone.iter().all(|figure| figure.name != "spread_pct" && figure.name != "wake_mean_us"),
            "{alone:?}"
        );
    }
}
