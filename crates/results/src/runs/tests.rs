use std::fs::File;
use std::time::Duration;

use super::*;
use crate::record::Record;
use crate::write::Evidence;

/// Records of two kernels: the newer folder has `count` of them.
fn store(count: usize) -> (tempfile::TempDir, RecordFolder) {
    let folder = tempfile::tempdir().unwrap();
    let below = RecordFolder::Below(folder.path().to_owned());
    for commit in ["abc1234", "abc1234-dirty"] {
        let mut record = Record::begun("t".into(), "eevdf", 3);
        record.commit = commit.to_owned().into();
        for _ in 0..count {
            record.write(&below.of(&record), Evidence::default()).unwrap();
        }
        let old = SystemTime::now() - Duration::from_secs(60);
        if !record.commit.is_dirty {
            File::open(below.of(&record)).unwrap().set_modified(old).unwrap();
        }
    }
    fs::create_dir(folder.path().join("7.3.1-empty")).unwrap();
    fs::write(folder.path().join("notes.txt"), "").unwrap();
    (folder, below)
}

#[test]
fn the_newest_comes_first_and_empty_folders_not_at_all() {
    let (_folder, store) = store(1);
    let names: Vec<String> = store.runs().unwrap().into_iter().map(|run| run.name).collect();
    assert_eq!(names, ["nokernel-abc1234-dirty", "nokernel-abc1234"]);
    assert_eq!(store.newest().unwrap().name, names[0]);
    let nowhere = RecordFolder::Below("/no/such/folder".into());
    assert!(matches!(nowhere.newest(), Err(ResultsError::NoRuns(_))));
}

#[test]
fn a_folder_of_its_own_is_one_run() {
    let (_folder, below) = store(2);
    let fixed = RecordFolder::Fixed(below.newest().unwrap().path);
    assert_eq!(fixed.runs().unwrap().len(), 1);
    assert_eq!(fixed.newest().unwrap().samples().unwrap().read.len(), 2);
}

#[test]
fn a_run_is_found_by_its_name_or_its_path() {
    let (folder, store) = store(1);
    assert_eq!(store.find("nokernel-abc1234").unwrap().name, "nokernel-abc1234");
    assert_eq!(store.find("nokernel-abc1234-d").unwrap().name, "nokernel-abc1234-dirty");
    let path = folder.path().join("nokernel-abc1234");
    assert_eq!(store.find(path.to_str().unwrap()).unwrap().name, "nokernel-abc1234");
    let error = store.find("nokernel").unwrap_err().to_string();
    assert_eq!(
        error,
        "`nokernel` may be any of `nokernel-abc1234-dirty`, `nokernel-abc1234`: give more of it"
    );
    let error = store.find("nokernel-abd1234").unwrap_err().to_string();
    assert!(error.ends_with("; there are `nokernel-abc1234`, `nokernel-abc1234-dirty`"), "{error}");
}

#[test]
fn bad_records_are_named_and_spoil_nothing() {
    let (_folder, store) = store(5);
    let run = store.newest().unwrap();
    fs::write(run.path.join("broken.json"), "{").unwrap();
    fs::create_dir(run.path.join("folder.json")).unwrap();
    fs::write(run.path.join(".unfinished.half"), "{").unwrap();
    let samples = run.samples().unwrap();
    assert_eq!(samples.read.len(), 5);
    assert!(samples.read.iter().all(|sample| sample.run == run.name && sample.path.is_file()));
    let bad: Vec<String> = samples.bad.iter().map(ToString::to_string).collect();
    assert!(
        bad[0].contains("broken.json is cut off") && bad[1].contains("folder.json cannot be read"),
        "{bad:?}"
    );
}

#[test]
fn writers_and_readers_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        for writer in 0..4 {
            let folder = folder.path();
            scope.spawn(move || {
                for seed in 0..20 {
                    let record = Record::begun(format!("writer_{writer}"), "eevdf", seed);
                    record.write(folder, Evidence::default()).unwrap();
                    // Whoever reads meanwhile sees whole records only.
                    let samples = RunFolder::at(folder).unwrap().samples().unwrap();
                    assert!(samples.bad.is_empty(), "{:?}", samples.bad);
                }
            });
        }
    });
    assert_eq!(RunFolder::at(folder.path()).unwrap().record_paths().unwrap().len(), 80);
}
