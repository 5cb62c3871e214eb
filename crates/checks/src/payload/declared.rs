//! Whether what is said of an external program makes sense.

use ktstr_model::{MetricCheck, MetricSource, Payload};

use super::pattern;

/// What is wrong with a payload.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// It has no name.
    #[error("a payload of program `{0}` has no name; give it one")]
    NoName(&'static str),
    /// Two figures of one name.
    #[error("payload {payload} has two metrics `{metric}`; give each a name of its own")]
    MetricTwice {
        /// The payload.
        payload: &'static str,
        /// The figure.
        metric: &'static str,
    },
    /// A pattern or path that finds nothing in any output.
    #[error("payload {payload}, metric `{metric}`: {source_of_it} is not one: {why}")]
    Source {
        /// The payload.
        payload: &'static str,
        /// The figure.
        metric: &'static str,
        /// Where the figure was to be found.
        source_of_it: MetricSource,
        /// What is wrong with that.
        why: String,
    },
    /// A check of a figure that there is not.
    #[error("payload {payload} has a check of `{metric}`, which is none of its metrics; these are: {there}")]
    NoSuchMetric {
        /// The payload.
        payload: &'static str,
        /// The figure.
        metric: &'static str,
        /// Those that there are.
        there: String,
    },
    /// Bounds that nothing is within.
    #[error("payload {payload}: no value of `{metric}` is within its bounds, {least} to {most}")]
    Bounds {
        /// The payload.
        payload: &'static str,
        /// The figure.
        metric: &'static str,
        /// The least that is allowed.
        least: f64,
        /// The most that is allowed.
        most: f64,
    },
}

/// Checks what is said of a payload.
///
/// # Errors
/// With the first thing that makes no sense.
pub fn check_payload(payload: &Payload) -> Result<(), PayloadError> {
    if payload.name.is_empty() {
        return Err(PayloadError::NoName(payload.program));
    }
    let name = payload.name;
    for (index, metric) in payload.metrics.iter().enumerate() {
        if payload.metrics[..index].iter().any(|earlier| earlier.name == metric.name) {
            return Err(PayloadError::MetricTwice { payload: name, metric: metric.name });
        }
        let wrong = match metric.source {
            MetricSource::Pattern(pattern) => pattern::compile(pattern).err(),
            MetricSource::Json(path) => {
                let parts = path.strip_prefix('/').map_or(path, |_| "pointer");
                parts.split('.').any(str::is_empty).then(|| "a part of it is empty".to_owned())
            }
        };
        if let Some(why) = wrong {
            let source_of_it = metric.source;
            return Err(PayloadError::Source { payload: name, metric: metric.name, source_of_it, why });
        }
    }
    payload.checks.iter().try_for_each(|check| check_bounds(payload, check))
}

fn check_bounds(payload: &Payload, check: &MetricCheck) -> Result<(), PayloadError> {
    let (name, metric) = (payload.name, check.metric);
    if !payload.metrics.iter().any(|known| known.name == metric) {
        let there: Vec<&str> = payload.metrics.iter().map(|known| known.name).collect();
        let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
        return Err(PayloadError::NoSuchMetric { payload: name, metric, there });
    }
    let (least, most) = (check.min.unwrap_or(f64::NEG_INFINITY), check.max.unwrap_or(f64::INFINITY));
    // Also false where one of them is not a number.
    if least <= most { Ok(()) } else { Err(PayloadError::Bounds { payload: name, metric, least, most }) }
}

#[cfg(test)]
mod tests {
    use ktstr_model::Metric;

    use super::*;

    const BENCH: Payload = Payload::binary("bench", "schbench");

    fn says(payload: Payload) -> String {
        check_payload(&payload).unwrap_err().to_string()
    }

    #[test]
    fn what_makes_sense_passes() {
        const METRICS: &[Metric] = &[
            Metric::pattern("time", r"Time: (\S+)"),
            Metric::json("iops", "jobs.0.iops"),
            Metric::json("p", "/a.b"),
        ];
        const CHECKS: &[MetricCheck] = &[MetricCheck::max("time", 3.0), MetricCheck::range("iops", 1.0, 1.0)];
        assert_eq!(check_payload(&BENCH.metrics(METRICS).checks(CHECKS)), Ok(()));
    }

    #[test]
    fn what_does_not_is_named() {
        assert_eq!(says(Payload::binary("", "x")), "a payload of program `x` has no name; give it one");
        const TWICE: &[Metric] = &[Metric::json("a", "a"), Metric::json("a", "b")];
        assert!(says(BENCH.metrics(TWICE)).starts_with("payload bench has two metrics `a`"));
        const GROUPLESS: &[Metric] = &[Metric::pattern("t", "Time")];
        assert_eq!(
            says(BENCH.metrics(GROUPLESS)),
            "payload bench, metric `t`: pattern `Time` is not one: it has no group in parentheses that says where the \
             number is"
        );
        const HOLE: &[Metric] = &[Metric::json("t", "a..b")];
        assert!(says(BENCH.metrics(HOLE)).ends_with("JSON path `a..b` is not one: a part of it is empty"));
        const ONE: &[Metric] = &[Metric::json("t", "t")];
        const OTHER: &[MetricCheck] = &[MetricCheck::min("u", 1.0)];
        assert!(says(BENCH.metrics(ONE).checks(OTHER)).ends_with("none of its metrics; these are: t"));
        const CROSSED: &[MetricCheck] = &[MetricCheck::range("t", 2.0, 1.0)];
        assert!(says(BENCH.metrics(ONE).checks(CROSSED)).ends_with("is within its bounds, 2 to 1"));
        const NAN: &[MetricCheck] = &[MetricCheck::min("t", f64::NAN)];
        assert!(says(BENCH.metrics(ONE).checks(NAN)).contains("NaN to inf"));
    }
}
