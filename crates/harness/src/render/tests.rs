//! Whole reports of recorded runs, as a person reads them.

use std::fs;
use std::path::PathBuf;

use ktstr_model::{AssertDetail, BusyProcess, DetailKind, HostNoise, Mode};

use super::*;
use crate::judge::{judge, weigh_noise};

/// A run of the fixture's scheduler that was recorded once; see `fixtures/recorded/README.md`.
struct Recorded {
    record: Record,
    evidence: Evidence,
}

impl Recorded {
    fn of(name: &str) -> Self {
        let folder =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/recorded/runs").join(name);
        let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap_or_default();
        let record = serde_json::from_str(&read("record.json")).unwrap();
        let report = (!read("report.json").is_empty()).then(|| {
            let mut report: RunReport = serde_json::from_str(&read("report.json")).unwrap();
            // Most of its events were left out.
            report.digest = report.computed_digest();
            Ok(report)
        });
        let evidence = Evidence {
            stop: Some(ktstr_vm::Stop::Guest),
            stage: ktstr_wire::layout::stage::DONE,
            exit: Some(crate::TestExit::Code(0)),
            report,
            console: read("console.log"),
            kernel_log: read("kernel.log"),
            scheduler_log: read("scheduler.log"),
            test_log: read("test.log"),
            ..Evidence::default()
        };
        Self { record, evidence }
    }

    /// What is printed once `judged` has been recorded.
    fn printed(mut self, judged: &Judgement) -> String {
        self.record.verdict = judged.cause.verdict();
        self.record.digest = None;
        let started = Started { binary_id: Some("scx-fixture::vm_verdicts".into()), ..Started::default() };
        let repeat = command(&self.record, &started);
        let beside = Beside {
            evidence: Some(&self.evidence),
            saved: Some(Path::new("target/ktstr/7.3.4-2fd4e1c/unfair")),
            backtrace: &[],
            repeat: &repeat,
        };
        plain(&report(&self.record, judged, beside))
    }
}

fn printed(name: &str) -> String {
    let recorded = Recorded::of(name);
    let judged = judge(&recorded.evidence);
    recorded.printed(&judged)
}

#[test]
fn an_unfair_scheduler() {
    insta::assert_snapshot!(printed("unfair"));
}

#[test]
fn a_dropped_task() {
    insta::assert_snapshot!(printed("stalls"));
}

#[test]
fn a_task_sent_to_the_wrong_cpu() {
    insta::assert_snapshot!(printed("wrong_cpu"));
}

#[test]
fn a_busy_host() {
    let mut recorded = Recorded::of("unfair");
    recorded.record.mode = Some(Mode::RealTime);
    let noise = HostNoise {
        wall_ns: 3_200_000_000,
        cpu_ns: 2_900_000_000,
        run_delay_ns: 3_000_000_000,
        steal_ns: 0,
        load: Some(14.2),
        noisiest: Some(BusyProcess { pid: 4711, comm: "cc1plus".into(), cpu_ns: 3_100_000_000 }),
    };
    let Some(Ok(report)) = &recorded.evidence.report else { panic!("no report") };
    let judged = weigh_noise(judge(&recorded.evidence), Mode::RealTime, &noise, &report.workers);
    insta::assert_snapshot!(recorded.printed(&judged));
}

#[test]
fn a_worker_outside_of_its_cpuset() {
    let mut recorded = Recorded::of("unfair");
    let Some(Ok(report)) = &mut recorded.evidence.report else { panic!("no report") };
    report.workers[2].allowed.cpus = "0-1".parse().unwrap();
    let checks = ktstr_model::Assert::NO_OVERRIDES.isolation(true);
    report.result = Ok(ktstr_checks::judge_workers(&checks, &report.workers));
    report.digest = report.computed_digest();
    let judged = judge(&recorded.evidence);
    assert_eq!(judged.details[0].kind, DetailKind::Isolation);
    let text = recorded.printed(&judged);
    insta::assert_snapshot!(text.lines().take(8).collect::<Vec<_>>().join("\n"));
}

#[test]
fn figures_are_told_with_all_that_reading_them_takes() {
    let mut record = Record::begun("t".into(), "eevdf", 1);
    let metric = |name: &str, unit: &str, polarity, cgroup: &str| MetricValue {
        name: name.into(),
        value: 1.25,
        unit: unit.into(),
        polarity,
        payload: "bench".into(),
        cgroup: cgroup.into(),
    };
    record.metrics = vec![
        metric("time", "s", Polarity::LowerBetter, "cell"),
        metric("rounds", "", Polarity::HigherBetter, ""),
        metric("cpus", "", Polarity::Neutral, ""),
    ];
    insta::assert_snapshot!(plain(&pass(&record)), @r"
    BROKEN: t (eevdf)
      metrics:
        bench in cell: time = 1.25 s, lower is better
        bench: rounds = 1.25, higher is better
        bench: cpus = 1.25
    ");
}

#[test]
fn what_the_scenario_did_is_told_with_times_after_its_beginning() {
    let mut record = Record::begun("t".into(), "eevdf", 1);
    let stimulus = |ms: u64, place: &str, what: &str| Stimulus {
        began_ns: ms * 1_000_000,
        ended_ns: (ms + 2) * 1_000_000,
        place: place.into(),
        what: what.into(),
    };
    record.stimuli =
        vec![stimulus(7000, "step 1", "sets up cell"), stimulus(7500, "step 2, op 1", "CpuOffline 3")];
    let mut text = String::new();
    stimuli(&mut text, &record);
    assert_eq!(
        plain(&text),
        "  the scenario:\n    at 0 ns, step 1: sets up cell (took 2.00 ms)\n    at 500.00 ms, step 2, op 1: \
         CpuOffline 3 (took 2.00 ms)\n"
    );
}

#[test]
fn a_scheduler_that_stops_badly_is_told_although_the_run_passed() {
    let told = |exit, died_at_ns, ignored_sigint| {
        let mut record = Record::begun("t".into(), "s", 1);
        let exit = Some(exit);
        record.scheduler_report =
            Some(SchedulerReport { exit, died_at_ns, ignored_sigint, ..SchedulerReport::default() });
        plain(&pass(&record)).lines().skip(1).map(str::trim).collect::<Vec<_>>().join(" ")
    };
    for orderly in [ExitHow::Code(0), ExitHow::Code(130), ExitHow::Signal(2)] {
        assert_eq!(told(orderly, None, false), "");
    }
    let crashed = "scheduler: told to stop (SIGINT), its program";
    assert_eq!(told(ExitHow::Signal(11), None, false), format!("{crashed} was killed by signal 11"));
    assert_eq!(told(ExitHow::Code(101), None, false), format!("{crashed} exited with code 101"));
    assert_eq!(told(ExitHow::Code(101), Some(5), false), "", "it was not told to: its death was expected");
    assert_eq!(told(ExitHow::Signal(9), None, true), "scheduler: it did not heed SIGINT and was killed");
}

#[test]
fn what_a_guest_wrote_cannot_paint_the_terminal() {
    let mut judged = Judgement::new(Cause::CheckViolated, "bad\u{1b}[2J");
    judged.details = vec![AssertDetail::new(DetailKind::Custom, "worse\u{1b}]0;x\u{7}")];
    let record = Record::begun("t".into(), "eevdf", 1);
    let text = plain(&report(&record, &judged, Beside::default()));
    assert_eq!(text, "BROKEN: t (eevdf)\n  bad[2J\n  violations:\n    worse]0;x\n");
}
