use ktstr_model::{RunOrder, Topology};

use super::*;
use crate::record::RecordKernel;
use crate::replay::{Replayed, find_token, tokens_below};

/// A deterministic run that failed.
pub(in crate::replay) fn failed(seed: u64) -> Record {
    let order = RunOrder {
        turn_ns: 1_400_000,
        seed,
        duration_ns: 1_000_000_000,
        settle_ns: 500_000_000,
        workers_per_cgroup: 4,
        ..RunOrder::plain("stalls", Topology::of(1, 2, 4, 1), Mode::Deterministic)
    };
    let mut record = Record::begun("stalls".into(), "my_sched", seed);
    record.program =
        TestProgram { package: "my-sched".into(), binary: "vm_basic".into(), ..TestProgram::default() };
    record.cell = Some("gauntlet/stalls/tiny-1llc/7.3.4".into());
    record.mode = Some(Mode::Deterministic);
    record.kernel =
        Some(RecordKernel { release: "7.3.4".into(), image: "/boot/x".into(), sha256: "ab".repeat(32) });
    let kargs = vec!["nosmt".into()];
    record.plan = Some(Plan { kargs, ..Plan::plain(order) });
    record.qemu = "10.0.11".into();
    record.identities = Some(Identities { payload: "cd".repeat(32), ..Identities::default() });
    record.verdict = Verdict::Fail;
    record.cause = Cause::SchedulerDied;
    record.headline = "the kernel disabled the scheduler: runnable task stall".into();
    record.digest = Some(Digest::of(&seed.to_le_bytes()));
    record
}

fn written(folder: &Path, seed: u64) -> (ReplayToken, PathBuf) {
    let token = ReplayToken::of(&failed(seed)).unwrap();
    let path = token.write(folder).unwrap();
    (token, path)
}

fn error(path: &Path) -> String {
    let folder = path.parent().unwrap().display().to_string();
    ReplayToken::read(path).unwrap_err().to_string().replace(&folder, "..")
}

#[test]
fn a_token_reads_back_also_with_other_line_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (token, path) = written(folder.path(), 7);
    assert_eq!(path.file_name().unwrap().to_str().unwrap(), format!("{}.replay", token.id));
    assert_eq!(ReplayToken::read(&path).unwrap(), token);
    let mailed = fs::read_to_string(&path).unwrap().replace('\n', "\r\n") + "\r\n";
    fs::write(folder.path().join("mailed"), mailed).unwrap();
    assert_eq!(ReplayToken::read(&folder.path().join("mailed")).unwrap(), token);
    assert_eq!(token.runs_as(), "gauntlet/stalls/tiny-1llc");
}

#[test]
fn equal_failures_have_equal_tokens_and_others_do_not() {
    let id = |record: &Record| ReplayToken::of(record).map(|token| token.id);
    let record = failed(7);
    assert_eq!(id(&Record { began_unix_ms: 1, ..record.clone() }), id(&record));
    assert_ne!(id(&failed(8)), id(&record));
    let passed = Record { verdict: Verdict::Pass, ..record.clone() };
    let in_real_time = Record { mode: Some(Mode::RealTime), ..record.clone() };
    let of_verifier = Record { cell: Some("verifier/my_sched/7.3.4/tiny-1llc".into()), ..record.clone() };
    let of_two_runs = Record { cause: Cause::NotDeterministic, verdict: Verdict::Broken, ..record.clone() };
    let not_begun = Record { plan: None, ..record };
    let none = [passed, in_real_time, of_verifier, of_two_runs, not_begun];
    assert_eq!(none.map(|record| id(&record)), [None; 5]);
}

#[test]
fn what_is_no_token_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (token, path) = written(folder.path(), 7);
    let text = fs::read_to_string(&path).unwrap();
    let bad = folder.path().join("bad.replay");
    let errors: Vec<String> = [
        text.replace("\"seed\": 7", "\"seed\": 8"),
        text.replace("\"1.0\"", "\"2.0\""),
        text.replace("\"1.0\"", "\"0.9\""),
        "hello".into(),
        r#"{"schema":"2.0","test":"t"}"#.into(),
        text[..60].into(),
    ]
    .into_iter()
    .map(|content| {
        fs::write(&bad, content).unwrap();
        error(&bad).replace(&token.id.to_string(), "ID")
    })
    .collect();
    assert!(errors[0].contains("says that it is ID, its content is that of "), "{}", errors[0]);
    insta::assert_snapshot!(errors[1..].join("\n"));
    assert!(error(&folder.path().join("absent.replay")).starts_with("../absent.replay: "));
}

#[test]
fn a_newer_minor_version_is_read_and_its_hash_checked() {
    let folder = tempfile::tempdir().unwrap();
    let mut token = ReplayToken::of(&failed(7)).unwrap();
    token.schema.minor += 1;
    token.id = TokenId::BLANK;
    let text = token.text().replacen("{", "{\n  \"since_then\": true,", 1);
    let id = TokenId::of(&text);
    let path = folder.path().join("newer.replay");
    fs::write(&path, text.replacen(&TokenId::BLANK.to_string(), &id.to_string(), 1)).unwrap();
    assert_eq!(ReplayToken::read(&path).unwrap(), ReplayToken { id, ..token });
}

#[test]
fn a_token_is_found_by_its_id_and_what_was_meant_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("7.3.4-abc1234/deeper");
    fs::create_dir_all(&inner).unwrap();
    let (first, path) = written(&inner, 7);
    written(folder.path(), 7);
    let (second, _) = written(folder.path(), 8);
    assert_eq!(tokens_below(folder.path()).len(), 2);
    let find = |text: &str| {
        let found = find_token(folder.path(), text).map_err(|error| error.to_string());
        found.map_err(|error| error.replace(&folder.path().display().to_string(), ".."))
    };
    assert!(
        find(&first.id.to_string().to_uppercase())
            .is_ok_and(|found| found.ends_with(path.file_name().unwrap()))
    );
    let id = second.id.to_string();
    assert_eq!(
        find(&id[..5]).unwrap_err(),
        format!("the token `{}` is cut: it has 5 of 12 letters; those in .. that begin so: {id}", &id[..5])
    );
    assert!(find("").unwrap_err().contains(&format!("{}", first.id)), "every token begins with nothing");
    let last = if id.ends_with('7') { "8" } else { "7" };
    assert_eq!(
        find(&format!("{}{last}", &id[..11])).unwrap_err(),
        format!("no token {}{last} in ..: was {id} meant?", &id[..11])
    );
    assert!(find("zzzzzzzzzzzz").unwrap_err().contains("the 2 it has are of other failures"));
    assert!(find("not-a-token!").unwrap_err().contains("is no token"));
}

#[test]
fn a_run_is_compared_with_that_of_the_token() {
    let record = failed(7);
    let token = ReplayToken::of(&record).unwrap();
    assert_eq!(token.compare(&record), Replayed::Reproduced);
    let other = Record { digest: failed(8).digest, ..record.clone() };
    assert_eq!(token.compare(&other), Replayed::OtherSchedule);
    let elsewhere = Record { cause: Cause::CheckViolated, ..record.clone() };
    assert_eq!(token.compare(&elsewhere), Replayed::NotReproduced);
    let passed = Record { verdict: Verdict::Pass, cause: Cause::ChecksHeld, ..record };
    assert_eq!(token.compare(&passed), Replayed::NotReproduced);
}

/// A run that ended so, without a report.
fn ended(cause: Cause, headline: &str) -> Record {
    Record { cause, verdict: cause.verdict(), headline: headline.into(), digest: None, ..failed(7) }
}

#[test]
fn without_a_digest_the_words_decide() {
    let panicked = |why: &str| ended(Cause::GuestPanic, &format!("the guest kernel panicked: {why}\nmore"));
    let token = ReplayToken::of(&panicked("null pointer")).unwrap();
    assert_eq!(token.compare(&panicked("null pointer")), Replayed::Reproduced);
    assert_eq!(token.compare(&panicked("out of stack")), Replayed::NotReproduced);
    let hung = |within: &str, place: &str| {
        ended(Cause::Hang, &format!("the guest did not finish within {within}; it hung {place}"))
    };
    let token = ReplayToken::of(&hung("180 s", "in the test function")).unwrap();
    assert_eq!(token.compare(&hung("8 s", "in the test function")), Replayed::Reproduced);
    assert_eq!(token.compare(&hung("180 s", "after the test function")), Replayed::NotReproduced);
}

#[test]
fn the_deadline_is_told_where_it_decides() {
    let with = |cause, deadline_s| {
        let mut record = ended(cause, "");
        record.plan.as_mut().unwrap().deadline_s = deadline_s;
        record
    };
    let token = ReplayToken::of(&with(Cause::Hang, Some(8))).unwrap();
    assert_eq!(token.differences(&with(Cause::Hang, Some(8))), [""; 0]);
    assert_eq!(
        token.differences(&with(Cause::ChecksHeld, None)),
        ["the deadline: 8 s then, none was asked for here"]
    );
    let token = ReplayToken::of(&with(Cause::SchedulerDied, Some(8))).unwrap();
    assert_eq!(token.differences(&with(Cause::ChecksHeld, None)), [""; 0]);
    let asked_for_none = ReplayToken::of(&with(Cause::Hang, None)).unwrap();
    let text = serde_json::to_string(&asked_for_none).unwrap();
    assert!(!text.contains("deadline_s"), "tokens of before it are as they were: {text}");
}

#[test]
fn what_is_otherwise_here_is_named() {
    let record = failed(7);
    let token = ReplayToken::of(&record).unwrap();
    assert!(token.differences(&record).is_empty());
    let mut here = record;
    here.kernel.as_mut().unwrap().sha256 = "12".repeat(32);
    here.qemu = "9.2.0".into();
    here.identities = Some(Identities { payload: "34".repeat(32), ..Identities::default() });
    here.plan.as_mut().unwrap().order.sysctls = vec![("kernel.x".into(), "1".into())];
    insta::assert_snapshot!(token.differences(&here).join("\n"), @r#"
    the kernel: 7.3.4 (abababababab) then, 7.3.4 (121212121212) here
    QEMU: 10.0.11 then, 9.2.0 here
    payload programs, shared libraries or included files: cdcdcdcdcdcd then, 343434343434 here
    the run's sysctls: [] then, [["kernel.x","1"]] here
    "#);
}
