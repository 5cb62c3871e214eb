//! `cargo ktstr stats compare`

use std::process::ExitCode;

use anyhow::Result;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use ktstr_results::compare::{
    Cell, ComparedCell, ComparedFigure, Comparison, Conclusion, Question, Thresholds, compare,
};
use ktstr_results::{Dimension, RecordFolder, Samples};
use serde::Serialize;

use super::table::{count, lines, number, table, with_unit};
use super::{bad_words, print, print_json, tell_bad};

/// Compare two sides of the records, cell by cell and figure by figure
///
/// Cells are runs that agree in test, scheduler, topology, kernel, mode and commit, without what the sides are told apart by;
/// their seeds are the samples. A difference is claimed when its 95 % bootstrap interval excludes zero, its effect (Hedges'
/// g) and its change are as large as asked for, and so large a difference is unlikely without a cause (p < 0.05, adjusted
/// for the number of comparisons).
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo ktstr stats compare 7.3.4-abc1234 7.3.4-def5678\n  \
                  cargo ktstr stats compare --by kernel 6.18 7.3\n  \
                  cargo ktstr stats compare --by test steady_eevdf steady --ignore scheduler\n\n\
                  The exit code is 0 without a regression, 1 with one or after an error, and 2 when nothing can be concluded \
                  because a side has a single sample in each cell.")]
pub struct Args {
    /// Side A, the baseline: a value of what the sides are told apart by, or the beginning of one
    a: String,
    /// Side B, which is better or worse than A
    b: String,
    /// What the sides are told apart by
    #[arg(long, value_name = "DIMENSION", default_value = "run", value_parser = dimension())]
    by: Dimension,
    /// In what the runs of one cell may differ, besides
    #[arg(long, value_name = "DIMENSION", value_delimiter = ',', value_parser = dimension())]
    ignore: Vec<Dimension>,
    /// Look at these folders of runs only [default: all for kernel and commit, A and B for run, else the newest]
    #[arg(long, value_name = "RUN")]
    run: Vec<String>,
    /// Least effect that is claimed, in standard deviations of single runs
    #[arg(long, value_name = "G", default_value_t = Thresholds::default().min_effect)]
    min_effect: f64,
    /// Least change that is claimed, in percent of side A
    #[arg(long, value_name = "PERCENT", default_value_t = Thresholds::default().min_change_pct)]
    min_change: f64,
    /// Least change that is claimed of figures in percent, in points
    #[arg(long, value_name = "POINTS", default_value_t = Thresholds::default().min_points)]
    min_points: f64,
    /// Print figures without a difference too
    #[arg(long)]
    all: bool,
}

fn dimension() -> impl clap::builder::TypedValueParser<Value = Dimension> {
    PossibleValuesParser::new(Dimension::ALL.map(Dimension::name))
        .try_map(|name| Dimension::of_name(&name).ok_or_else(|| format!("no dimension {name}")))
}

/// What `--json` prints.
#[derive(Serialize)]
struct Output<'a> {
    #[serde(flatten)]
    comparison: &'a Comparison,
    regression: bool,
    inconclusive: bool,
    bad_records: Vec<String>,
}

/// Compares two sides. The exit code says whether B is worse than A.
pub fn run(args: &Args, place: &RecordFolder, json: bool) -> Result<ExitCode> {
    let (samples, a, b) = read(args, place)?;
    if !json {
        tell_bad(&samples.bad, samples.read.len());
    }
    let question = Question {
        by: args.by,
        a,
        b,
        ignored: args.ignore.clone(),
        thresholds: Thresholds {
            min_effect: args.min_effect,
            min_change_pct: args.min_change,
            min_points: args.min_points,
        },
    };
    let comparison = compare(&samples.read, &question)?;
    if json {
        print_json(&Output {
            comparison: &comparison,
            regression: comparison.has_regression(),
            inconclusive: comparison.is_inconclusive(),
            bad_records: bad_words(&samples.bad),
        })?;
    } else {
        print(&text(&comparison, args.all))?;
    }
    Ok(match (comparison.has_regression(), comparison.is_inconclusive()) {
        (true, _) => ExitCode::from(1),
        (false, true) => ExitCode::from(2),
        (false, false) => ExitCode::SUCCESS,
    })
}

/// The records to look at, and the sides' whole names.
fn read(args: &Args, place: &RecordFolder) -> Result<(Samples, String, String)> {
    let (mut a, mut b) = (args.a.clone(), args.b.clone());
    let runs = match (args.by, &args.run[..]) {
        (Dimension::Run, _) => {
            let runs = [place.find(&a)?, place.find(&b)?];
            (a, b) = (runs[0].name.clone(), runs[1].name.clone());
            runs.into()
        }
        (Dimension::Kernel | Dimension::Commit, []) => place.runs()?,
        (_, []) => vec![place.newest()?],
        (_, names) => names.iter().map(|name| place.find(name)).collect::<Result<_, _>>()?,
    };
    let mut samples = Samples::default();
    for run in runs {
        samples.extend(run.samples()?);
    }
    Ok((samples, a, b))
}

fn text(comparison: &Comparison, all: bool) -> String {
    let Comparison { by, a, b, cells, .. } = comparison;
    let mut text = format!("A: {by} {a}\nB: {by} {b}\n");
    for cell in cells {
        text += &cell_text(cell, all);
    }
    text += &format!("\n{}\n", conclusions(comparison));
    for (side, only) in [("A", &comparison.only_a), ("B", &comparison.only_b)] {
        text += &alone(side, only);
    }
    if comparison.repeats > 0 {
        let runs = count(comparison.repeats, "run");
        text +=
            &format!("not counted: {runs} with the digest of another, which are no samples of their own\n");
    }
    if comparison.without_verdict > 0 {
        let runs = count(comparison.without_verdict, "run");
        text += &format!(
            "not counted: {runs} without a verdict on the scheduler (skipped, inconclusive or broken)\n"
        );
    }
    if comparison.is_inconclusive() {
        text += "nothing can be concluded: no cell has two samples on both sides; run the tests with several seeds \
                 (`cargo ktstr test --seed N`)\n";
    }
    text
}

fn cell_text(cell: &ComparedCell, all: bool) -> String {
    let is_shown = |figure: &&ComparedFigure| all || figure.conclusion != Conclusion::Same;
    let shown: Vec<&ComparedFigure> = cell.figures.iter().filter(is_shown).collect();
    if shown.is_empty() {
        return String::new();
    }
    let header = ["FIGURE", "CONCLUSION", "A", "B", "CHANGE", "95 % INTERVAL", "EFFECT", "P"];
    let mut table = table(&header, 2);
    for figure in shown {
        table.add_row(row(figure));
    }
    let samples = format!("{} and {}", cell.samples_a, count(cell.samples_b, "sample"));
    format!("\n{}: {samples}\n{}", cell.cell, lines(&table))
}

fn row(figure: &ComparedFigure) -> [String; 8] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let signed = |value: f64| if value > 0.0 { format!("+{}", number(value)) } else { number(value) };
    let change = match (figure.unit.as_str(), figure.change_pct) {
        ("%", _) | (_, None) => signed(figure.change),
        (_, Some(percent)) => format!("{} %", signed(percent)),
    };
    let conclusion = match figure.conclusion {
        Conclusion::Worse => "worse",
        Conclusion::Better => "better",
        Conclusion::Differs => "differs",
        Conclusion::Same => "no difference",
        Conclusion::TooFew => "too few samples",
    };
    [
        figure.name.clone(),
        conclusion.to_owned(),
        with_unit(figure.a.mean, &figure.unit),
        with_unit(figure.b.mean, &figure.unit),
        change,
        or_dash(figure.interval.map(|range| format!("{} to {}", signed(range.low), signed(range.high)))),
        or_dash(
            figure
                .effect
                .map(|effect| if effect.is_finite() { signed(effect) } else { "no noise".to_owned() }),
        ),
        or_dash(figure.p.map(|p| if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") })),
    ]
}

/// `2 cells: 1 figure worse, 2 better, 9 without a difference that matters`.
fn conclusions(comparison: &Comparison) -> String {
    let of = |conclusion| comparison.count(conclusion);
    let mut parts = vec![
        format!("{} worse", count(of(Conclusion::Worse), "figure")),
        format!("{} better", of(Conclusion::Better)),
    ];
    let more = [
        (of(Conclusion::Differs), "different without being either"),
        (of(Conclusion::Same), "without a difference that matters"),
        (of(Conclusion::TooFew), "with too few samples"),
    ];
    parts.extend(more.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    format!("{}: {}", count(comparison.cells.len(), "cell"), parts.join(", "))
}

/// Cells that the other side does not have.
fn alone(side: &str, cells: &[Cell]) -> String {
    const SHOWN: usize = 5;
    if cells.is_empty() {
        return String::new();
    }
    let mut text = format!("on side {side} alone: {}\n", count(cells.len(), "cell"));
    cells.iter().take(SHOWN).for_each(|cell| text += &format!("  {cell}\n"));
    if cells.len() > SHOWN {
        text += &format!("  and {} more\n", cells.len() - SHOWN);
    }
    text
}
