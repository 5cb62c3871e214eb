//! Records as versions of the format wrote them, `records/MAJOR.MINOR.json`: each stays readable by every later minor of its
//! major.
//!
//! A test that fails here means that the format changed. What is new gets a default (`#[serde(default)]`) and the minor is
//! raised; anything else raises the major, as `Schema` says. The new version gets a file of its own here.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use ktstr_results::{Dimension, Record, RunFolder, Schema, summarize};
use serde_json::Value;

/// The versions of which there is a record.
const VERSIONS: [Schema; 2] = [Schema { major: 2, minor: 0 }, Schema { major: 2, minor: 1 }];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/records")
}

/// A kept record: as JSON, as read, and as this version writes what it read.
fn kept(version: Schema) -> (Value, Record, Value) {
    let path = folder().join(format!("{version}.json"));
    let written = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let read = Record::read(&path).unwrap();
    let again = serde_json::to_value(&read).unwrap();
    (written, read, again)
}

/// Calls `found` with every place at which `old` says something that `new` does not say.
fn lost(place: &str, old: &Value, new: &Value, found: &mut dyn FnMut(String)) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                lost(&format!("{place}.{key}"), value, new.get(key).unwrap_or(&Value::Null), found);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (at, (old, new)) in old.iter().zip(new).enumerate() {
                lost(&format!("{place}[{at}]"), old, new, found);
            }
        }
        _ if old == new => {}
        _ => found(format!("{place} was {old}, is {new}")),
    }
}

fn differences(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    lost("record", old, new, &mut |line| found.push(line));
    found
}

/// Calls `found` with every place at which a record is silent.
fn silent(place: &str, value: &Value, found: &mut dyn FnMut(String)) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(key, value)| silent(&format!("{place}.{key}"), value, found));
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(at, item)| silent(&format!("{place}[{at}]"), item, found));
        }
        Value::Null => found(place.to_owned()),
        Value::String(text) if text.is_empty() => found(place.to_owned()),
        Value::Object(_) | Value::Array(_) => found(place.to_owned()),
        _ => {}
    }
}

#[test]
fn nothing_that_an_older_version_wrote_is_lost() {
    for version in VERSIONS {
        let (written, _, again) = kept(version);
        assert_eq!(differences(&written, &again), [""; 0], "{version}");
    }
}

#[test]
fn the_present_version_has_a_record_in_which_every_field_says_something() {
    assert_eq!(VERSIONS.last(), Some(&Schema::CURRENT), "keep a record of this version, too");
    let (written, read, again) = kept(Schema::CURRENT);
    assert_eq!(read.schema, Schema::CURRENT);
    assert_eq!(
        differences(&again, &written),
        [""; 0],
        "the format has grown: raise its minor and keep a record"
    );
    let mut found = Vec::new();
    silent("record", &written, &mut |place| found.push(place));
    assert_eq!(found, [""; 0]);
}

#[test]
fn old_records_are_listed_with_all_their_figures() {
    let samples = RunFolder::at(&folder()).unwrap().samples().unwrap();
    assert!(samples.bad.is_empty(), "{:?}", samples.bad);
    assert_eq!(samples.read.len(), VERSIONS.len());
    let cells = summarize(&samples.read);
    let cell = cells.iter().find(|cell| cell.cell.0[&Dimension::Test] == "crowded_eevdf").unwrap();
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
