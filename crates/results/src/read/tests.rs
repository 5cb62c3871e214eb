use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;
use crate::sample::Sample;
use crate::write::Evidence;

/// A record's JSON, and a file that a test may spoil.
fn written() -> (tempfile::TempDir, PathBuf, Value) {
    let folder = tempfile::tempdir().unwrap();
    let path =
        Record::begun("t".into(), "eevdf", 3).write(folder.path(), Evidence::default()).unwrap().record;
    let json = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    (folder, path, json)
}

/// What reading a record and reading its sample say of `text`, without the path.
fn said(path: &Path, text: &[u8]) -> [String; 2] {
    fs::write(path, text).unwrap();
    let words = |outcome: Result<(), BadRecord>| match outcome {
        Ok(()) => "read".to_owned(),
        Err(error) => error.to_string().replace(&path.display().to_string(), "FILE"),
    };
    [words(read::<Record>(path).map(drop)), words(read::<Sample>(path).map(drop))]
}

#[test]
fn each_damage_has_its_words() {
    let (_folder, path, json) = written();
    let whole = serde_json::to_vec(&json).unwrap();
    for cut in [0, 1, whole.len() / 2, whole.len() - 1] {
        for words in said(&path, &whole[..cut]) {
            assert!(words.starts_with("FILE is cut off (EOF while parsing"), "{cut}: {words}");
        }
    }
    for not_json in ["hello", "{'a': 1}", "\u{0}\u{1}"] {
        for words in said(&path, not_json.as_bytes()) {
            assert!(words.starts_with("FILE is not JSON ("), "{words}");
        }
    }
    let mut edited = json.clone();
    edited["seed"] = json!("three");
    for words in said(&path, &serde_json::to_vec(&edited).unwrap()) {
        assert!(
            words.starts_with("FILE is not a record, or was edited (invalid type: string \"three\""),
            "{words}"
        );
    }
    for (field, word) in [("verdict", "pass"), ("cause", "check-violated")] {
        let mut edited = json.clone();
        edited[field] = json!(word);
        let [verdict, cause] = ["verdict", "cause"].map(|field| edited[field].as_str().unwrap().to_owned());
        let meant = if field == "cause" { "fail" } else { "broken" };
        let expected = format!(
            "FILE contradicts itself and was edited: its verdict is `{verdict}`, but its cause `{cause}` always has the \
             verdict `{meant}`; run its test again"
        );
        assert_eq!(said(&path, &serde_json::to_vec(&edited).unwrap()), [expected.clone(), expected]);
    }
    for words in said(&path, b"{\"a\": 1}") {
        assert!(words.starts_with("FILE is not a record, or was edited (missing field"), "{words}");
    }
    fs::remove_file(&path).unwrap();
    let gone = Record::read(&path).unwrap_err().to_string();
    assert!(gone.ends_with("cannot be read (No such file or directory (os error 2))"), "{gone}");
}

#[test]
fn a_version_is_read_as_the_rules_say() {
    let (_folder, path, json) = written();
    let with = |schema: Value, changes: Value| {
        let mut json = json.clone();
        json["schema"] = schema;
        let object = json.as_object_mut().unwrap();
        object.extend(changes.as_object().unwrap().clone());
        serde_json::to_vec(&json).unwrap()
    };
    // An older minor lacks what came later; a newer one has what this version does not know.
    let mut older = json.clone();
    for later in ["plan", "host", "figures", "workers", "commit", "crate"] {
        older.as_object_mut().unwrap().remove(later).unwrap();
    }
    assert_eq!(said(&path, &serde_json::to_vec(&older).unwrap()), ["read", "read"]);
    assert_eq!(said(&path, &with(json!("2.9"), json!({"what_comes": [1]}))), ["read", "read"]);
    for words in said(&path, &with(json!("2.9"), json!({"cause": "fell-asleep"}))) {
        assert!(
            words.starts_with("FILE was written by a newer ktstr (schema 2.9, this one writes 2.1): update"),
            "{words}"
        );
    }
    for words in said(&path, &with(json!("2.0"), json!({"cause": "fell-asleep"}))) {
        assert!(
            words.starts_with("FILE is not a record, or was edited (unknown variant `fell-asleep`"),
            "{words}"
        );
    }
    let newer = "FILE was written by a newer ktstr (schema 3.0, this one reads 2.x): update ktstr";
    assert_eq!(said(&path, &with(json!("3.0"), json!({}))), [newer, newer]);
    assert_eq!(said(&path, b"{\"schema\": \"3.0\", \"all\": \"is new\"}"), [newer, newer]);
    let older = "FILE was written by an older ktstr (schema 1.0, this one reads 2.x): run its test again";
    assert_eq!(said(&path, &with(json!(1), json!({}))), [older, older]);
}

#[test]
fn the_report_is_beside_the_record_or_there_is_none() {
    let (_folder, path, _) = written();
    assert!(Record::read_report(&path).unwrap().is_none());
    let beside = path.with_extension("");
    fs::create_dir(&beside).unwrap();
    fs::write(beside.join(Record::REPORT_FILE), "{\"result\":").unwrap();
    let error = Record::read_report(&path).unwrap_err().to_string();
    assert!(error.contains("report.json is cut off"), "{error}");
}
