//! Whether one seed gives one schedule on a busy host, and different seeds different ones.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail, ensure};
use ktstr_harness::{Evidence, Prepared};
use ktstr_model::Digest;
use ktstr_vm::Template;

use crate::figures::{Figure, Output};
use crate::{declared, prepare};

/// Clones with one seed, and clones with a seed each.
const CLONES: u64 = 20;

/// Counts distinct digests while every host CPU is kept busy by something else.
pub fn measure(output: &Output) -> Result<()> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let measured = count(output);
        stop.store(true, Ordering::Relaxed);
        measured
    })
}

fn count(output: &Output) -> Result<()> {
    output.progress(&format!("{CLONES} clones of one seed on a busy host"));
    let prepared = prepare(&declared::STEADY, 1)?;
    let same = digests((0..CLONES).map(|_| run(&prepared)))?;
    let distinct = |name, digests: &HashSet<Digest>| Figure {
        name,
        value: digests.len() as f64,
        unit: "digests",
        baseline: CLONES as f64,
    };
    output.figure(&distinct("digests_of_one_seed", &same));

    output.progress(&format!("{CLONES} clones with a seed each"));
    let different = digests((1..=CLONES).map(|seed| run(&prepare(&declared::STEADY, seed)?)))?;
    output.figure(&distinct("digests_of_all_seeds", &different));

    output.progress("one clone of a template that was built again");
    let elsewhere = tempfile::tempdir()?;
    let template =
        Template::get(elsewhere.path(), &prepared.host.qemu, &prepared.plan.machine, &mut |_: &str| {})?;
    let mut again = same;
    again.insert(run(&prepared.with_template(elsewhere.path(), template)?)?);
    output.figure(&Figure {
        name: "digests_over_templates",
        value: again.len() as f64,
        unit: "digests",
        baseline: 1.0,
    });
    Ok(())
}

fn digests(runs: impl Iterator<Item = Result<Digest>>) -> Result<HashSet<Digest>> {
    runs.collect()
}

/// Runs a clone and returns its digest, computed again from the events of its report.
fn run(prepared: &Prepared) -> Result<Digest> {
    let mut machine = prepared.start_clone(&mut |_: &str| {})?;
    let stop = machine.wait_stop(prepared.deadline())?;
    let evidence = Evidence::collect(&machine, stop);
    let Some(Ok(report)) = evidence.report else { bail!("no report: {evidence:?}") };
    let events: usize = report.workers.iter().map(|worker| worker.events.len()).sum();
    ensure!(events >= 1000, "only {events} events are kept");
    let digest = report.computed_digest();
    ensure!(digest == report.digest, "the digest is not that of the events");
    Ok(digest)
}
