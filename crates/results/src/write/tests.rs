use ktstr_model::{AssertResult, Verdict, WorkerEvent, WorkerReport};

use super::*;
use crate::record::RecordKernel;

fn report() -> RunReport {
    let event = WorkerEvent { at_ns: 5, cpu: 1, count: 1 };
    let workers = vec![WorkerReport {
        cgroup: "cell_0".into(),
        work: "SpinWait".into(),
        events: vec![event],
        ..WorkerReport::default()
    }];
    let report = RunReport { workers, ..RunReport::of_result(Ok(AssertResult::pass())) };
    report.with_digest()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_record_reads_back_and_its_digest_can_be_computed_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut record, report) = (Record::begun("inner::t".into(), "eevdf", 3), report());
    record.verdict = Verdict::Pass;
    record.take_report(&report);
    assert_eq!(record.work_types, ["SpinWait"]);
    let evidence = Evidence { report: Some(&report), logs: &[] };
    let written = record.write(folder.path(), evidence).unwrap();
    assert_eq!(written.logs, None);
    let read: Record = serde_json::from_slice(&fs::read(&written.record).unwrap()).unwrap();
    assert_eq!(read, record);
    let beside = written.record.with_extension("");
    assert_eq!(names(&beside), [Record::REPORT_FILE]);
    let again: RunReport =
        serde_json::from_slice(&fs::read(beside.join(Record::REPORT_FILE)).unwrap()).unwrap();
    assert_eq!(again.computed_digest(), record.digest.unwrap());
}

#[test]
fn logs_are_kept_beside_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let record = Record::begun("t".into(), "eevdf", 3);
    let evidence = Evidence { report: None, logs: &[("console.log", "boom")] };
    let logs = record.write(folder.path(), evidence).unwrap().logs.unwrap();
    assert_eq!(fs::read_to_string(logs.join("console.log")).unwrap(), "boom");
}

#[test]
fn records_go_below_their_kernel_and_commit() {
    let mut record = Record::begun("gauntlet/t/preset".into(), "eevdf", 3);
    record.commit = "abc1234-dirty".to_owned().into();
    let below = RecordFolder::Below("target/ktstr".into());
    assert_eq!(below.of(&record), Path::new("target/ktstr/nokernel-abc1234-dirty"));
    record.on_host = true;
    assert_eq!(below.of(&record), Path::new("target/ktstr/host-abc1234-dirty"));
    record.kernel = Some(RecordKernel { release: "7.3.1".into(), image: "i".into(), sha256: String::new() });
    assert_eq!(below.of(&record), Path::new("target/ktstr/7.3.1-abc1234-dirty"));
    assert_eq!(RecordFolder::Fixed("x".into()).of(&record), Path::new("x"));
}

#[test]
fn equal_names_are_told_apart_and_long_ones_cut() {
    let folder = tempfile::tempdir().unwrap();
    let record = Record::begun(format!("gauntlet/{}", "é".repeat(300)), "eevdf", 3);
    let paths: Vec<_> =
        (0..3).map(|_| record.write(folder.path(), Evidence::default()).unwrap().record).collect();
    assert!(paths.iter().all(|path| path.is_file()), "{paths:?}");
    assert_eq!(names(folder.path()).len(), 3);
    assert!(names(folder.path())[0].starts_with("gauntlet..."), "{paths:?}");
}
