//! How long a test binary takes to list its cells: 50 tests, 24 presets, 3 kernels. `cargo bench -p ktstr --bench listing`.
//!
//! The binary lists its own cells, as one of tests does: in the process entry, before `main`.

#[path = "machine/figures.rs"]
mod figures;

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use figures::{Figure, Output, median};
use ktstr::__private::{ConstraintsChoice, TestEntry, TestSpec, linkme, process_entry};
use ktstr::prelude::*;

/// What it may take.
const MOST_MS: f64 = 200.0;
const TESTS: usize = 50;
const KERNELS: &str = "7.3.4=/k/a:7.0.13=/k/b:6.18.15=/k/c";
/// Those of the gauntlet; `kernels/` cells are ignored no more than their tests, so they are in another list.
const CELLS: usize = TESTS * 24 * 3;
const RUNS: usize = 20;

#[used]
#[unsafe(link_section = ".init_array")]
static ENTRY: extern "C" fn() = process_entry;

/// Every preset meets these.
const ALL: ConstraintsChoice = ConstraintsChoice {
    max_llcs: Some(64),
    max_cpus: Some(512),
    max_numa_nodes: Some(64),
    ..ConstraintsChoice::INHERITED
};

macro_rules! tests {
    ($($name:ident)*) => {$(
        #[linkme::distributed_slice(ktstr::KTSTR_TESTS)]
        #[linkme(crate = linkme)]
        static $name: TestEntry = TestEntry {
            spec: TestSpec { constraints: ALL, ..TestSpec::new(stringify!($name), module_path!()) },
            ..NOTHING
        };
    )*};
}

const NOTHING: TestEntry = TestEntry {
    spec: TestSpec::new("nothing", ""),
    body: |_: &Ctx| -> Result<AssertResult> { Ok(AssertResult::pass()) },
    post_vm: None,
};

tests! {
    T00 T01 T02 T03 T04 T05 T06 T07 T08 T09 T10 T11 T12 T13 T14 T15 T16 T17 T18 T19 T20 T21 T22 T23 T24
    T25 T26 T27 T28 T29 T30 T31 T32 T33 T34 T35 T36 T37 T38 T39 T40 T41 T42 T43 T44 T45 T46 T47 T48 T49
}

fn main() -> Result<()> {
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    if has("--list") {
        // The process entry has printed all there is.
        return Ok(());
    }
    let output = Output { json: has("--json") };
    output.progress("listing the cells of a test binary");
    let times = (0..RUNS).map(|_| list()).collect::<Result<Vec<f64>>>()?;
    let listing = median(times);
    output.figure(&Figure { name: "list_3600_cells", value: listing, unit: "ms", baseline: MOST_MS });
    if listing > MOST_MS {
        bail!("listing {CELLS} cells took {listing:.1} ms; it may take {MOST_MS} ms");
    }
    Ok(())
}

/// Milliseconds from the start of a process of this binary to the end of its list.
fn list() -> Result<f64> {
    let began = Instant::now();
    let output = Command::new(std::env::current_exe()?)
        .args(["--list", "--format", "terse", "--ignored"])
        .env("KTSTR_TEST_KERNELS", KERNELS)
        .output()?;
    let took = began.elapsed().as_secs_f64() * 1e3;
    let listed = output.stdout.iter().filter(|byte| **byte == b'\n').count();
    ensure!(listed == CELLS, "{listed} cells were listed: {output:?}");
    Ok(took)
}
