//! Records as released versions of the format wrote them: each stays readable by every later minor of its major.
//!
//! A test that fails here means that the format changed its meaning: give what is new a default (`#[serde(default)]`), or raise
//! the major, as `Schema` says.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use ktstr_results::{Dimension, RunFolder, summarize};

#[test]
fn a_record_of_2_0_is_listed_with_all_its_figures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/records");
    let samples = RunFolder::at(&folder).unwrap().samples().unwrap();
    assert!(samples.bad.is_empty(), "{:?}", samples.bad);
    let [cell] = &summarize(&samples.read)[..] else { panic!("one record") };
    assert_eq!(cell.cell.0[&Dimension::Test], "crowded_eevdf");
    assert_eq!(cell.cell.0[&Dimension::Commit], "abc1234");
    let names: Vec<&str> = cell.figures.iter().map(|figure| figure.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "llc_migrations",
            "max_gap_ms",
            "migrations",
            "node_migrations",
            "run_delay_pct",
            "spread_pct",
            "wake_mean_us",
            "wake_p99_us",
            "work_rate"
        ]
    );
}
