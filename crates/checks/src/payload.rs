//! External programs: whether what is said of one makes sense, which figures are in its output, and whether it did as it
//! was to.

mod declared;
mod json;
mod pattern;

use ktstr_model::{
    AssertDetail, AssertResult, DetailKind, ExpectedExit, Metric, MetricCheck, MetricSource, MetricValue,
    Mode, Payload, PayloadEnd, PayloadReport,
};

pub use declared::{PayloadError, check_payload};

/// What a program wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramOutput {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// The figures of one run of a program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Those that were found.
    pub found: Vec<MetricValue>,
    /// The names of the others, and why they were not.
    pub missing: Vec<(String, String)>,
}

/// Finds a payload's figures in what its program wrote.
pub fn read_metrics(payload: &Payload, cgroup: &str, output: &ProgramOutput) -> Figures {
    let mut figures = Figures::default();
    for metric in payload.metrics {
        match find(metric, output) {
            Ok(value) => figures.found.push(MetricValue {
                name: metric.name.to_owned(),
                value,
                unit: metric.unit.to_owned(),
                polarity: metric.polarity,
                payload: payload.name.to_owned(),
                cgroup: cgroup.to_owned(),
            }),
            Err(why) => figures.missing.push((metric.name.to_owned(), why)),
        }
    }
    figures
}

fn find(metric: &Metric, output: &ProgramOutput) -> Result<f64, String> {
    let find = |text: &str| match metric.source {
        MetricSource::Json(path) => json::find(path, text),
        MetricSource::Pattern(pattern) => pattern::find(pattern, text),
    };
    let found = match find(&output.stdout) {
        Ok(None) => find(&output.stderr),
        found => found,
    };
    match found? {
        Some(value) if value.is_finite() => Ok(value),
        Some(value) => Err(format!("its value {value} is no finite number")),
        None => Err(format!("{} finds nothing in its output", metric.source)),
    }
}

/// Judges one run of a program: how it ended, and its figures. Of a program that was stopped, figures that are missing are
/// only noted.
pub fn judge_payload(
    payload: &Payload,
    report: &PayloadReport,
    figures: &Figures,
    mode: Mode,
) -> AssertResult {
    let name = name(report);
    let mut result = AssertResult::pass();
    match (report.end, payload.exit) {
        (PayloadEnd::Ended(how), ExpectedExit::Code(code)) if how != ktstr_model::ExitHow::Code(code) => {
            let message =
                format!("{name} {how}, but was to exit with code {code}{}", last_lines(&report.last_lines));
            result.merge(AssertResult::fail(violation(DetailKind::Payload, report, message)));
            // What such a program wrote is no result.
            return result;
        }
        (PayloadEnd::Unkillable, _) => {
            let message = format!("{name} was killed and had not ended a minute later");
            result.merge(AssertResult::fail(violation(DetailKind::Payload, report, message)));
        }
        _ => {}
    }
    for (metric, why) in &figures.missing {
        if matches!(report.end, PayloadEnd::Ended(_)) {
            let message = format!("{name} has no {metric}: {why}{}", last_lines(&report.last_lines));
            result.merge(AssertResult::fail(violation(DetailKind::Metric, report, message)));
        } else {
            result.note(format!("{name} was stopped before it told its {metric}"));
        }
    }
    for check in payload.checks {
        let Some(value) = figures.found.iter().find(|value| value.name == check.metric) else { continue };
        if check.real_time_only && mode == Mode::Deterministic {
            result.note(format!("{name}: {} was not judged: its bounds are for real-time mode", value.name));
        } else if let Some(detail) = outside(check, value, report) {
            result.merge(AssertResult::fail(detail));
        }
    }
    result
}

fn outside(check: &MetricCheck, value: &MetricValue, report: &PayloadReport) -> Option<AssertDetail> {
    let number = value.value;
    let (bound, word) = match (check.min, check.max) {
        (Some(least), _) if number < least => (least, "less than the least"),
        (_, Some(most)) if number > most => (most, "more than the most"),
        _ => return None,
    };
    let unit = if value.unit.is_empty() { String::new() } else { format!(" {}", value.unit) };
    let message =
        format!("{}: {} = {number}{unit} is {word} allowed, {bound}{unit}", name(report), value.name);
    let detail = violation(DetailKind::Metric, report, message);
    Some(AssertDetail { value: Some(number), threshold: Some(bound), ..detail })
}

/// Names a run of a program: `payload bench in cell_0 (pid 218)`.
fn name(report: &PayloadReport) -> String {
    let place = if report.cgroup.is_empty() { String::new() } else { format!(" in {}", report.cgroup) };
    format!("payload {}{place} (pid {})", report.payload, report.pid)
}

fn last_lines(lines: &[String]) -> String {
    match lines {
        [] => "; it wrote nothing".to_owned(),
        lines => format!("; the last lines that it wrote:\n  {}", lines.join("\n  ")),
    }
}

fn violation(kind: DetailKind, report: &PayloadReport, message: String) -> AssertDetail {
    let cgroup = Some(report.cgroup.clone()).filter(|cgroup| !cgroup.is_empty());
    AssertDetail { cgroup, ..AssertDetail::new(kind, message) }
}

#[cfg(test)]
mod tests;
