//! How fast a clone starts and what it weighs.

use std::time::Duration;

use anyhow::{Result, ensure};
use ktstr_harness::Prepared;
use ktstr_vm::{Machine, Template, private_memory};
use ktstr_wire::layout::stage;

use crate::figures::{Figure, Output, median};
use crate::{declared, prepare};

/// Clones that are started.
const ROUNDS: usize = 15;

/// Measures start times and memory; returns what a cold boot takes, in milliseconds.
pub fn measure(output: &Output) -> Result<f64> {
    let prepared = prepare(&declared::WAITS, 1)?;
    output.progress(&format!("starting {ROUNDS} clones of 4 vCPUs"));
    let (mut greeted, mut began) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let machine = prepared.start_clone(&mut |_: &str| {})?;
        began.push(wait_for_test(&machine)?);
        greeted.push(machine.greeted_after().as_secs_f64() * 1e3);
    }
    let (qemu_start, clone_start) = (median(greeted), median(began));
    output.figure(&Figure { name: "qemu_start", value: qemu_start, unit: "ms", baseline: qemu_start });
    output.figure(&Figure { name: "clone_start", value: clone_start, unit: "ms", baseline: qemu_start });
    let allowed = 40.0 + 2.0 * prepared.payload.size() as f64 / f64::from(1 << 20);
    output.figure(&Figure {
        name: "idle_clone_private",
        value: weight_beside_another(&prepared)?,
        unit: "MiB",
        baseline: allowed,
    });

    output.progress("booting the same machine from cold");
    let elsewhere = tempfile::tempdir()?;
    let mut quiet = |_: &str| {};
    let template = Template::get(elsewhere.path(), &prepared.host.qemu, &prepared.plan.machine, &mut quiet)?;
    let cold_boot = template.built_in().as_secs_f64() * 1e3;
    output.figure(&Figure { name: "cold_boot", value: cold_boot, unit: "ms", baseline: clone_start });
    Ok(cold_boot)
}

/// Private memory of a clone that waits at its test's first line, in MiB, while another clone runs: what both map
/// (programs, libraries, the template's RAM) is not private to either.
fn weight_beside_another(prepared: &Prepared) -> Result<f64> {
    let machines = [prepared.start_clone(&mut |_: &str| {})?, prepared.start_clone(&mut |_: &str| {})?];
    for machine in &machines {
        wait_for_test(machine)?;
    }
    Ok(private_memory(machines[1].pid())? as f64 / f64::from(1 << 20))
}

/// Milliseconds from QEMU's start to the test function's first line. Looking at the guest's memory does not disturb it.
fn wait_for_test(machine: &Machine) -> Result<f64> {
    while machine.stage() < stage::TEST_BEGAN {
        ensure!(machine.age() < Duration::from_secs(60), "the clone did not reach its test");
        std::thread::sleep(Duration::from_micros(500));
    }
    let age = machine.age();
    ensure!(machine.stage() == stage::TEST_BEGAN, "the clone ended instead of waiting");
    Ok(age.as_secs_f64() * 1e3)
}
