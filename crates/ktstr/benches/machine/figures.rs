//! Figures and how they are printed.

use serde::Serialize;

/// One figure with what it is compared to, in the same unit and from the same run.
pub struct Figure {
    pub name: &'static str,
    pub value: f64,
    pub unit: &'static str,
    pub baseline: f64,
}

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    value: f64,
    unit: &'a str,
    baseline: f64,
    ratio: f64,
}

/// Where figures go: stdout, as a table for people or as a JSON line each.
pub struct Output {
    pub json: bool,
}

impl Output {
    pub fn figure(&self, figure: &Figure) {
        let Figure { name, value, unit, baseline } = *figure;
        let ratio = value / baseline;
        if self.json {
            let line = Line { name, value, unit, baseline, ratio };
            println!("{}", serde_json::to_string(&line).unwrap_or_default());
        } else {
            println!("{name:24} {value:12.2} {unit:10} baseline {baseline:12.2}   ratio {ratio:8.3}");
        }
    }

    pub fn progress(&self, what: &str) {
        eprintln!("bench: {what}");
    }
}

/// The middle value; the mean of both for an even count; 0 for none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}
