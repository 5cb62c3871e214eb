//! `cargo xtask determinism`: whether equal plans give equal runs, on this host, in every kind of machine that matters.

mod busy;
mod row;
mod table;
mod uncounted;

use anyhow::{Result, bail};
use ktstr_host::Invocation;

use crate::workspace::Workspace;
use crate::{real_schedulers, setup, stage};

use busy::BusyHost;
use row::{Counter, Row};
use table::{Line, Table};

/// Count the distinct digests of many runs of one plan, for every kind of machine that matters
///
/// One plan on 4 CPUs under the example scheduler gets the most runs, half of them from a template that is built again,
/// while every CPU of the host is kept busy by something else. Other numbers of CPUs, SMT, two NUMA nodes, kernels from 6.16
/// on, the kernel's own scheduler and two that others wrote get fewer. Beside each stands how many digests different seeds
/// have. The table is Markdown, as docs/src/concepts/determinism.md has it.
///
/// Exit code: 1 when some plan gave more than one digest.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask determinism\n  cargo xtask determinism --most 100 --clones 10 --seeds 10\n  \
                        cargo xtask determinism 'two NUMA nodes' 'kernel 6.16'"
)]
pub struct Args {
    #[command(flatten)]
    setup: setup::Args,
    /// Runs of the plan that gets the most
    #[arg(long, value_name = "N", default_value_t = 1000)]
    most: usize,
    /// Runs of each other plan
    #[arg(long, value_name = "N", default_value_t = 50)]
    clones: usize,
    /// Seeds for each plan
    #[arg(long, value_name = "N", default_value_t = 100)]
    seeds: usize,
    /// Only rows whose name holds one of these words
    #[arg(value_name = "ROW")]
    rows: Vec<String>,
}

/// `cargo xtask determinism`.
///
/// # Errors
/// The first step that failed, and how to repeat it.
pub fn run(args: &Args) -> Result<()> {
    let rows = chosen(args)?;
    setup::complete(args.setup.yes, setup::OF_USERS)?;
    stage::run("building cargo-ktstr", &Invocation::new("cargo build --package cargo-ktstr"))?;
    stage::run(
        "building the example scheduler",
        &Invocation::new("cargo build --release --package my-sched"),
    )?;
    stage::run(
        "building the counter",
        &Invocation::new("cargo bench --package ktstr --bench determinism --no-run"),
    )?;
    let workspace = Workspace::read()?;
    let counter = Counter::new(&workspace)?;
    let mut table = Table::default();
    println!("{}", table::HEAD);
    for row in &rows {
        if row.needs_real_schedulers() && !real_schedulers::are_built(&real_schedulers::folder()?) {
            eprintln!(
                "xtask: {} is left out: `cargo xtask real-schedulers --build-only` builds it",
                row.name
            );
            continue;
        }
        // The other rows have a result of their own.
        match stage::timed(&row.name, &format!("cargo xtask determinism '{}'", row.name), || {
            count(row, &counter)
        }) {
            Ok(line) => {
                println!("{line}");
                table.add(&line);
            }
            Err(error) => {
                eprintln!("{error:#}");
                table.add_failed(&row.name);
            }
        }
    }
    table.verdict()
}

fn count(row: &Row, counter: &Counter) -> Result<Line> {
    let _busy = row.on_busy_host.then(BusyHost::begin);
    let mut counted = counter.count(row)?;
    if row.with_second_template {
        counted.merge(counter.count_on_second_template(row)?);
    }
    Ok(Line::new(row, &counted))
}

fn chosen(args: &Args) -> Result<Vec<Row>> {
    let mut rows = row::all(args.most, args.clones, args.seeds);
    if args.rows.is_empty() {
        return Ok(rows);
    }
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    if let Some(unknown) = args.rows.iter().find(|word| !names.iter().any(|name| name.contains(*word))) {
        bail!("no row is called `{unknown}`: there are {}", names.join(", "));
    }
    rows.retain(|row| args.rows.iter().any(|word| row.name.contains(word)));
    Ok(rows)
}
