use ktstr_model::{ExitHow, Polarity};
use proptest::prelude::*;

use super::*;

const METRICS: &[Metric] = &[
    Metric::pattern("time", r"Time: (\S+)").unit("s").lower_is_better(),
    Metric::json("rate", "rate").unit("1/s").higher_is_better(),
];
const BENCH: Payload = Payload::binary("bench", "schbench")
    .metrics(METRICS)
    .checks(&[MetricCheck::max("time", 2.0), MetricCheck::min("rate", 10.0).in_real_time()]);

fn report(end: PayloadEnd) -> PayloadReport {
    PayloadReport {
        payload: "bench".into(),
        primary: true,
        cgroup: "cell".into(),
        args: Vec::new(),
        pid: 7,
        began_ns: 0,
        ended_ns: 0,
        cpu_ns: 0,
        end,
        last_lines: vec!["first".into(), "no such option".into()],
    }
}

const WELL: PayloadEnd = PayloadEnd::Ended(ExitHow::Code(0));

fn figures(stdout: &str, stderr: &str) -> Figures {
    read_metrics(&BENCH, "cell", &ProgramOutput { stdout: stdout.into(), stderr: stderr.into() })
}

fn judged(end: PayloadEnd, stdout: &str, mode: Mode) -> AssertResult {
    judge_payload(&BENCH, &report(end), &figures(stdout, ""), mode)
}

fn messages(result: &AssertResult) -> Vec<&str> {
    result.details.iter().map(|detail| detail.message.as_str()).collect()
}

#[test]
fn figures_come_from_both_outputs_with_all_that_comparing_them_takes() {
    let figures = figures("{\"rate\": 12}\n", "Time: 1.5\n");
    let [time, rate] = &figures.found[..] else { panic!("{figures:?}") };
    assert_eq!((time.name.as_str(), time.value, time.unit.as_str()), ("time", 1.5, "s"));
    assert_eq!((rate.value, rate.polarity), (12.0, Polarity::HigherBetter));
    assert_eq!((rate.payload.as_str(), rate.cgroup.as_str()), ("bench", "cell"));
    assert_eq!(figures.missing, []);
}

#[test]
fn bounds_are_judged_where_they_hold() {
    let good = judged(WELL, "Time: 2\n{\"rate\": 10}\n", Mode::RealTime);
    assert_eq!(good, AssertResult::pass());
    let bad = judged(WELL, "Time: 2.5\n{\"rate\": 9}\n", Mode::RealTime);
    assert_eq!(
        messages(&bad),
        [
            "payload bench in cell (pid 7): time = 2.5 s is more than the most allowed, 2 s",
            "payload bench in cell (pid 7): rate = 9 1/s is less than the least allowed, 10 1/s"
        ]
    );
    assert_eq!((bad.details[0].value, bad.details[0].threshold), (Some(2.5), Some(2.0)));
    let counted = judged(WELL, "Time: 2.5\n{\"rate\": 9}\n", Mode::Deterministic);
    assert_eq!(counted.details.len(), 1);
    assert_eq!(
        counted.notes,
        ["payload bench in cell (pid 7): rate was not judged: its bounds are for real-time mode"]
    );
}

#[test]
fn a_figure_that_is_missing_fails_unless_the_program_was_stopped() {
    let result = judged(WELL, "{\"rate\": 10}", Mode::RealTime);
    assert_eq!(
        messages(&result),
        [
            "payload bench in cell (pid 7) has no time: pattern `Time: (\\S+)` finds nothing in its output; the last \
          lines that it wrote:\n  first\n  no such option"
        ]
    );
    assert_eq!(result.details[0].kind, DetailKind::Metric);
    let stopped = judged(PayloadEnd::Stopped(ExitHow::Signal(15)), "{\"rate\": 10}", Mode::RealTime);
    assert!(!stopped.is_failed());
    assert_eq!(stopped.notes, ["payload bench in cell (pid 7) was stopped before it told its time"]);
    let endless = judged(WELL, "Time: inf\n{\"rate\": 10}", Mode::RealTime);
    assert!(messages(&endless)[0].contains("its value inf is no finite number"));
}

#[test]
fn an_end_that_was_not_expected_is_told_with_the_last_lines() {
    let result = judged(PayloadEnd::Ended(ExitHow::Code(2)), "", Mode::RealTime);
    assert_eq!(
        messages(&result),
        [
            "payload bench in cell (pid 7) exited with code 2, but was to exit with code 0; the last lines that it \
          wrote:\n  first\n  no such option"
        ]
    );
    assert_eq!(
        (result.details[0].kind, result.details[0].cgroup.as_deref()),
        (DetailKind::Payload, Some("cell"))
    );
    let of =
        |payload: Payload, end| judge_payload(&payload, &report(end), &Figures::default(), Mode::RealTime);
    let killed = PayloadEnd::Ended(ExitHow::Signal(11));
    assert!(messages(&of(BENCH, killed))[0].contains("was killed by signal 11, but was to exit with code 0"));
    assert!(!of(BENCH.any_exit(), killed).is_failed());
    assert!(!of(BENCH.exit_code(2), PayloadEnd::Ended(ExitHow::Code(2))).is_failed());
    assert!(of(BENCH.exit_code(2), WELL).is_failed());
    assert!(of(BENCH.any_exit(), PayloadEnd::Unkillable).is_failed());
}

proptest! {
    #[test]
    fn any_output_is_read_without_a_panic(stdout in ".{0,200}", stderr in "[\\[{}\\]\":0-9a-z,\n ]{0,200}") {
        figures(&stdout, &stderr);
    }

    #[test]
    fn a_number_that_was_printed_is_found(value in -1e300f64..1e300) {
        let found = figures(&format!("noise\nTime: {value}\n"), &format!("{{\"rate\":{value:e}}}")).found;
        prop_assert_eq!(found.iter().map(|metric| metric.value).collect::<Vec<_>>(), [value, value]);
    }
}
