//! `cargo ktstr stats` on records that a test makes.
#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use assert_cmd::Command;
use ktstr_model::{
    AssertDetail, AssertResult, Cause, DetailKind, Gap, Mode, RunReport, Stimulus, WorkerReport,
};
use ktstr_results::{
    Evidence, Figure, HostFacts, Phases, Polarity, Record, RecordFolder, RecordKernel, WorkerFigures,
};
use serde_json::Value;

/// A folder for folders of runs.
struct Store(tempfile::TempDir);

/// A run that passed.
fn passed(test: &str, scheduler: &str, commit: &str, seed: u64) -> Record {
    let mut record = Record::begun(test.into(), scheduler, seed);
    record.commit = commit.to_owned().into();
    record.kernel =
        Some(RecordKernel { release: "7.3.4".into(), image: "image".into(), sha256: String::new() });
    record.topology = Some("1n2l4c1t".parse().unwrap());
    record.mode = Some(Mode::Deterministic);
    // What differs from host to host is in no snapshot.
    record.host = HostFacts::default();
    record.began_unix_ms += seed;
    judged(record, Cause::ChecksHeld)
}

fn judged(record: Record, cause: Cause) -> Record {
    Record { cause, verdict: cause.verdict(), ..record }
}

/// Figures with a gap of about `gap_ms`, which the seed moves a little.
fn figures(gap_ms: f64, seed: u64) -> Vec<Figure> {
    let noise = [0.0, 0.03, -0.02, 0.01, -0.03][seed as usize % 5];
    vec![
        Figure::new("work_rate", "1/s", 2768.0 * (1.0 + noise), Polarity::HigherBetter),
        Figure::new("spread_pct", "%", 0.7 * (1.0 - noise), Polarity::LowerBetter),
        Figure::new("max_gap_ms", "ms", gap_ms * (1.0 + noise), Polarity::LowerBetter),
        Figure::new("node_migrations", "1/s", 0.0, Polarity::Neutral),
    ]
}

impl Store {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Five seeds of two tests at two commits; at the second one of them has longer gaps.
    fn two_commits() -> Self {
        let store = Self::new();
        for seed in 0..5 {
            for (commit, gap_ms) in [("abc1234", 20.0), ("def5678", 31.0)] {
                let (steady, smt) =
                    (passed("steady", "my_sched", commit, seed), passed("smt", "my_sched", commit, seed));
                store.keep(&Record { figures: figures(gap_ms, seed), ..steady });
                store.keep(&Record { figures: figures(20.0, seed + 1), ..smt });
            }
        }
        store.age("7.3.4-abc1234", 2);
        store
    }

    /// Makes a folder of runs as old as that.
    fn age(&self, name: &str, hours: u64) {
        let changed = SystemTime::now() - Duration::from_secs(hours * 3600 + 60);
        File::open(self.path(name)).unwrap().set_modified(changed).unwrap();
    }

    fn keep(&self, record: &Record) -> PathBuf {
        let folder = RecordFolder::Below(self.0.path().to_owned()).of(record);
        record.write(&folder, Evidence::default()).unwrap().record
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Exit code, stdout and stderr.
    fn run(&self, args: &str) -> (i32, String, String) {
        let mut command = Command::cargo_bin("cargo-ktstr").unwrap();
        command.env_clear().arg("stats").args(args.split_whitespace()).arg("--dir").arg(self.0.path());
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| {
            let text =
                String::from_utf8(bytes).unwrap().replace(&self.0.path().display().to_string(), "[DIR]");
            text.lines().map(|line| format!("{}\n", line.trim_end())).collect::<String>()
        };
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn json(&self, args: &str) -> Value {
        serde_json::from_str(&self.run(&format!("{args} --json")).1).unwrap()
    }
}

#[test]
fn the_newest_folder_is_a_table_of_its_cells() {
    let store = Store::two_commits();
    store.keep(&judged(passed("smt", "my_sched", "def5678", 9), Cause::SchedulerDied));
    let (code, text, _) = store.run("");
    assert_eq!(code, 0);
    insta::assert_snapshot!(text);
    assert_eq!(store.run("show 7.3.4-def5678").1, text);
    let json = store.json("");
    assert_eq!((&json["run"], &json["records"]), (&"7.3.4-def5678".into(), &11.into()));
    assert_eq!(json["cells"][0]["cell"]["test"], "smt");
    assert_eq!(json["cells"][0]["verdicts"]["fail"], 1);
}

#[test]
fn folders_are_listed_with_what_they_came_to() {
    let store = Store::two_commits();
    store.keep(&judged(passed("smt", "my_sched", "def5678-dirty", 9), Cause::Hang));
    store.age("7.3.4-def5678", 1);
    insta::assert_snapshot!(store.run("list").1);
    let json = store.json("list");
    assert_eq!((&json[0]["commit"], &json[0]["verdicts"]["broken"]), (&"def5678-dirty".into(), &1.into()));
    let (code, _, error) = Store::new().run("list");
    assert_eq!(
        (code, error.as_str()),
        (1, "error: there are no records in [DIR]: `cargo ktstr test` makes some\n")
    );
    assert_eq!(Store::new().json("list"), serde_json::json!([]));
}

#[test]
fn one_record_is_shown_for_a_person() {
    let store = Store::new();
    let mut record = judged(passed("steady", "my_sched", "abc1234", 3), Cause::CheckViolated);
    record.headline = "worker 1 of cell_0 starved".into();
    record.details = vec![AssertDetail::new(DetailKind::Starved, "worker 1 of cell_0 starved")];
    record.notes = vec!["max_gap_ms = 35 is not applicable".into()];
    record.stimuli =
        vec![Stimulus { began_ns: 5, ended_ns: 9, place: "step 1".into(), what: "sets up cell_0".into() }];
    record.figures = figures(20.0, 0);
    record.host = HostFacts { cpu_model: "A CPU".into(), cpus: 2, memory_mb: 8000, kernel: "6.1".into() };
    record.phases = Phases { clone_ms: 136.2, run_ms: 900.0, ..Phases::default() };
    record.workers = vec![WorkerFigures {
        cgroup: "cell_0".into(),
        index: 1,
        work: "SpinWait".into(),
        wall_ns: 9,
        off_cpu_pct: 100.0,
        max_gap: Gap { ns: 20_000_000, ..Gap::default() },
        ..WorkerFigures::default()
    }];
    let path = store.keep(&record);
    let (code, text, _) = store.run(&format!("show {}", path.display()));
    assert_eq!(code, 0);
    insta::assert_snapshot!(text);
    let json = store.json(&format!("show {}", path.display()));
    assert_eq!(json, serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap());
}

#[test]
fn a_regression_is_found_where_it_is_and_is_the_exit_code() {
    let store = Store::two_commits();
    let (code, text, _) = store.run("compare 7.3.4-abc 7.3.4-def");
    assert_eq!(code, 1, "{text}");
    insta::assert_snapshot!(text);
    assert_eq!(store.run("compare 7.3.4-def 7.3.4-abc").0, 0);
    assert_eq!(store.run("compare --by commit abc1234 def5678").0, 1);
    assert_eq!(store.run("compare --by commit abc1234 def5678 --min-change 80").0, 0);
    assert_eq!(store.run("compare --by commit abc1234 def5678 --min-effect 1e9").0, 0);
    let (_, all, _) = store.run("compare 7.3.4-abc 7.3.4-def --all");
    assert!(all.lines().filter(|line| line.contains("no difference")).count() == 9, "{all}");
    let json = store.json("compare 7.3.4-abc 7.3.4-def");
    assert_eq!((&json["regression"], &json["inconclusive"]), (&true.into(), &false.into()));
    let steady =
        json["cells"].as_array().unwrap().iter().find(|cell| cell["cell"]["test"] == "steady").unwrap();
    let gap =
        steady["figures"].as_array().unwrap().iter().find(|figure| figure["name"] == "max_gap_ms").unwrap();
    assert_eq!((&gap["conclusion"], &gap["a"]["samples"]), (&"worse".into(), &5.into()));
    assert!(gap["interval"]["low"].as_f64().unwrap() > 9.0);
}

#[test]
fn one_sample_a_side_concludes_nothing() {
    let store = Store::new();
    for (scheduler, gap_ms) in [("eevdf", 20.0), ("my_sched", 90.0)] {
        store.keep(&Record { figures: figures(gap_ms, 1), ..passed("steady", scheduler, "abc1234", 1) });
    }
    let (code, text, _) = store.run("compare --by scheduler eevdf my_sched");
    assert_eq!(code, 2);
    insta::assert_snapshot!(text);
    assert_eq!(store.json("compare --by scheduler eevdf my_sched")["inconclusive"], true);
}

#[test]
fn sides_that_cannot_be_compared_are_told() {
    let store = Store::new();
    store.keep(&passed("steady", "my_sched", "abc1234", 1));
    store.keep(&passed("steady_eevdf", "eevdf", "abc1234", 1));
    let error = |args: &str| {
        let (code, out, error) = store.run(args);
        assert_eq!((code, out.as_str()), (1, ""), "{args}");
        error
    };
    insta::assert_snapshot!(error("compare --by scheduler eevdf my_sched"));
    assert_eq!(
        error("compare --by scheduler eevdf mysched"),
        "error: no record is of scheduler `mysched`; there are `my_sched`, `eevdf`\n"
    );
    assert_eq!(
        error("compare 7.3.4-abd1234 7.3.4-abc1234"),
        "error: there is no run `7.3.4-abd1234` in [DIR]; there are `7.3.4-abc1234`\n"
    );
    assert_eq!(
        error("show 7.3.4-xyz.json"),
        "error: there is no run `7.3.4-xyz.json` in [DIR]; there are `7.3.4-abc1234`\n"
    );
    let ignoring = "compare --by test steady_eevdf steady --ignore scheduler";
    assert_eq!(store.run(ignoring).0, 2);
    let mut command = Command::cargo_bin("cargo-ktstr").unwrap();
    let output = command.args(["stats", "compare", "a", "b", "--by", "colour"]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("[possible values: test, scheduler, topology, kernel, mode, commit, run, seed]"),
        "{error}"
    );
}

#[test]
fn broken_records_are_counted_named_and_spoil_nothing() {
    let store = Store::two_commits();
    let run = store.path("7.3.4-def5678");
    let good = passed("steady", "my_sched", "def5678", 77);
    let good = fs::read_to_string(store.keep(&good)).unwrap();
    let write = |name: &str, text: &str| fs::write(run.join(name), text).unwrap();
    write("cut.json", good.split_inclusive("\"steady").next().unwrap());
    write("edited.json", &good.replacen("\"seed\":", "\"seed\":\"x\",\"was\":", 1));
    write("newer.json", &good.replacen("\"schema\":\"2.1\"", "\"schema\":\"3.0\"", 1));
    write("text.json", "hello");
    write("unknown-field.json", &good.replacen('{', "{\"colour\":\"blue\",", 1));
    let (code, text, error) = store.run("");
    assert_eq!(code, 0);
    assert!(text.starts_with("[DIR]/7.3.4-def5678: 12 records, 2 cells\n"), "{text}");
    // Where it stands moves with every field that records gain.
    let mut pieces = error.split(" column ");
    let before = pieces.next().unwrap().to_owned();
    let after = pieces.map(|piece| piece.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    insta::assert_snapshot!(after.fold(before, |text, piece| text + " column N" + piece));
    assert_eq!(store.json("")["bad_records"].as_array().unwrap().len(), 4);
    assert_eq!(store.run("compare 7.3.4-abc 7.3.4-def").0, 1);
    let shown = store.run(&format!("show {}", run.join("cut.json").display()));
    assert!(
        shown.0 == 1 && shown.2.starts_with("error: [DIR]/7.3.4-def5678/cut.json is cut off ("),
        "{shown:?}"
    );
}

#[test]
fn the_folder_of_the_environment_is_one_run() {
    let store = Store::two_commits();
    let run = |dir: &Path, args: &[&str]| {
        let mut command = Command::cargo_bin("cargo-ktstr").unwrap();
        command.env_clear().env("KTSTR_SIDECAR_DIR", dir).arg("stats").args(args);
        let output = command.output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    assert!(run(&store.path("7.3.4-abc1234"), &[]).contains(": 10 records, 2 cells\n"));
    let nowhere = run(&store.path("nowhere"), &[]);
    assert!(nowhere.starts_with("error: there are no records in "), "{nowhere}");
    let dir = store.path("7.3.4-def5678").display().to_string();
    assert!(run(&store.path("nowhere"), &["list", "--dir", &dir]).contains("7.3.4-def5678"));
    let no_folder = run(&store.path("nowhere"), &["list", "--dir", "/no/such"]);
    assert_eq!(no_folder, "error: /no/such: No such file or directory (os error 2)\n");
}

#[test]
fn outside_of_a_workspace_the_option_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::cargo_bin("cargo-ktstr").unwrap();
    command.current_dir(folder.path()).env_remove("KTSTR_SIDECAR_DIR").arg("stats");
    let output = command.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        error.contains("could not find `Cargo.toml`") && error.contains("name the folder with --dir"),
        "{error}"
    );
}

/// A run in which one worker came to its second checkpoint at this time.
fn reported(at_ns: u64) -> RunReport {
    let worker = WorkerReport {
        cgroup: "cell_0".into(),
        work: "SpinWait".into(),
        events: vec![(1_000, 0, 1).into(), (at_ns, 0, 2).into()],
        event_stride: 1,
        ..WorkerReport::default()
    };
    RunReport { workers: vec![worker], ..RunReport::of_result(Ok(AssertResult::pass())) }.with_digest()
}

#[test]
fn two_runs_are_compared_event_by_event() {
    let store = Store::new();
    let keep = |at_ns| {
        let report = reported(at_ns);
        let evidence = Evidence { report: Some(&report), ..Evidence::default() };
        let folder = store.path("run");
        passed("steady", "my_sched", "abc1234", 1).write(&folder, evidence).unwrap().record
    };
    let (one, other) = (keep(2_000), keep(2_004));
    let diff = |a: &Path, b: &Path| store.run(&format!("diff {} {}", a.display(), b.display()));
    let (code, text, _) = diff(&one, &one);
    assert_eq!((code, text.lines().last()), (0, Some("the two runs are equal")));
    let (code, text, _) = diff(&one, &other);
    let without_digests: String = text.lines().skip(1).map(|line| format!("{line}\n")).collect();
    assert_eq!(code, 2);
    insta::assert_snapshot!(without_digests, @r"
    the first difference is at 0.000002000 s of the guest's clock
      one run:   0.000002000 s worker 0 of cell_0 (SpinWait) on CPU 0, checkpoint 2
      the other: 0.000002004 s worker 0 of cell_0 (SpinWait) on CPU 0, checkpoint 2
      before it, in both:
        0.000001000 s worker 0 of cell_0 (SpinWait) on CPU 0, checkpoint 1
    ");
    let alone = store.keep(&passed("steady", "my_sched", "abc1234", 1));
    let (code, _, error) = diff(&one, &alone);
    assert_eq!(code, 1);
    assert!(error.contains("the record has no report.json beside it"), "{error}");
}
