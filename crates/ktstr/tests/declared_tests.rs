//! What `#[ktstr_test]` makes of a function. Tests that would need a machine are declared with `#[ignore]`: they are
//! registered all the same, and here only looked at.

use ktstr::prelude::*;
use ktstr::test_support::{ExpectedExit, ModeChoice, TestEntry, TopologyChoice};
use ktstr::{KTSTR_TESTS, declare_scheduler};

declare_scheduler!(MY_SCHED, {
    name = "my_sched",
    binary = "scx_my_sched",
    topology = (1, 2, 4, 1),
    config_file_def = ("--config {file}", "/run/my.conf"),
});

declare_scheduler!(SLOW_MEMORY, {
    name = "slow_memory",
    binary = "scx_my_sched",
    memory_only_nodes = 1,
    config_file_def = ("--config {file}", "/run/my.conf"),
});

const CONFIG: &str = "slice = 5";
const SLICE: &str = "--slice=5";

#[ktstr_test]
#[ignore = "looked at only"]
fn defaults(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

/// Public, hence documented.
#[ktstr_test(
    scheduler = SLOW_MEMORY,
    numa_nodes = 2,
    sockets = 4,
    cores = 3,
    threads = 2,
    memory_mb = 1024,
    disk_mb = 64,
    min_llcs = 2,
    max_llcs = 8,
    min_cpus = 4,
    max_cpus = 64,
    min_numa_nodes = 1,
    max_numa_nodes = 2,
    requires_smt,
    duration_s = 7,
    extra_sched_args = ["--fifo", SLICE],
    extra_include_files = ["data/input.txt"],
    payload = STRESS_NG,
    workloads = [inner::HACKBENCH, STRESS_NG],
    config = CONFIG,
    not_starved = false,
    max_gap_ms = 900,
    max_spread_pct = 12.5,
    isolation,
    max_throughput_cv = 0.25,
    min_work_rate = 1000,
    min_iteration_rate = 2.5,
    max_p99_wake_latency_ns = 5000000000,
    max_wake_latency_cv = 3,
    max_migration_ratio = 0.5,
    min_page_locality = 1,
    max_cross_node_migration_ratio = 1.5,
    max_slow_tier_ratio = 0,
    cleanup_budget_ms = 400,
    post_vm = looks_at_the_run,
    expect_err,
    host_only = false,
    mode = real_time,
    seed = 18446744073709551615,
)]
#[ignore = "looked at only"]
pub fn every_key(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

/// A program with everything that can be said of one.
#[derive(Payload)]
#[payload(
    name = "stress",
    program = "stress-ng",
    args = ["--cpu", "2", ""],
    include_files = ["data/jobs", "/etc/hostname"],
    exit_code = 2
)]
#[metric(name = "ops", source = pattern(r"cpu +(\d+)"), unit = "1", higher_is_better, min = 1)]
#[metric(name = "wait", source = json("a.0.b"), unit = "us", lower_is_better, min = -1, max = 2.5, in_real_time)]
#[metric(name = "cpus", source = json("/a"), unit = "1", higher_is_better = false)]
pub struct StressNg;

fn looks_at_the_run(_: &RunResult) -> Result<AssertResult> {
    Ok(AssertResult::pass())
}

mod inner {
    use ktstr::prelude::*;

    #[derive(Payload)]
    #[payload(binary = "./target/hackbench", any_exit)]
    pub(super) struct Hackbench;

    #[ktstr_test(scheduler = super::MY_SCHED, threads = 2)]
    #[ignore = "looked at only"]
    pub(crate) fn in_a_module(ctx: &Ctx) -> Result<AssertResult> {
        scenarios::steady(ctx)
    }

    #[ktstr_test(scheduler = Scheduler::EEVDF, mode = deterministic)]
    #[ignore = "looked at only"]
    fn kernel_default(ctx: &Ctx) -> Result<AssertResult> {
        scenarios::steady(ctx)
    }
}

#[ktstr_test(scheduler = no::such::SCHEDULER, llcs = 3, config = NOWHERE)]
#[cfg(any())]
fn configured_away(ctx: &NoSuchType) -> Result<AssertResult> {
    no_such_function(ctx)
}

macro_rules! test_with {
    ($name:ident, $scheduler:path, $llcs:expr, $config:literal) => {
        #[ktstr_test(scheduler = $scheduler, llcs = $llcs, config = $config)]
        #[ignore = "looked at only"]
        fn $name(ctx: &Ctx) -> Result<AssertResult> {
            scenarios::steady(ctx)
        }
    };
}

test_with!(from_a_macro, MY_SCHED, 5, "inline");

#[ktstr_test(host_only)]
fn a_body_that_passes_makes_a_test_that_passes(_ctx: &Ctx) -> Result<AssertResult> {
    Ok(AssertResult::pass())
}

#[ktstr_test(host_only, expect_err)]
fn an_error_that_is_expected_passes(_ctx: &Ctx) -> Result<AssertResult> {
    anyhow::bail!("this is what the test is about")
}

/// Not a test of its own: what the next one runs.
#[ktstr_test(host_only, seed = 7)]
#[ignore = "fails, as it should"]
fn fails_on_the_host(_ctx: &Ctx) -> Result<AssertResult> {
    Ok(AssertResult::fail_msg("too late"))
}

#[test]
fn a_run_on_the_host_leaves_a_record_too() {
    let records = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "fails_on_the_host", "--ignored", "--nocapture"])
        .env("KTSTR_SIDECAR_DIR", records.path())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{printed}");
    assert!(printed.contains("FAIL: fails_on_the_host (on the host)\n  too late\n"), "{printed}");
    let left: Vec<_> =
        std::fs::read_dir(records.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [record] = &left[..] else { panic!("{left:?}") };
    let record: serde_json::Value = serde_json::from_slice(&std::fs::read(record).unwrap()).unwrap();
    let field = |name: &str| record[name].clone();
    assert_eq!((field("test"), field("on_host")), ("fails_on_the_host".into(), true.into()));
    assert_eq!((field("verdict"), field("cause")), ("fail".into(), "check-violated".into()));
    assert_eq!(field("seed"), 7);
}

#[test]
fn a_record_goes_below_the_folder_that_the_command_names() {
    let runs = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "fails_on_the_host", "--ignored", "--nocapture"])
        .env_remove("KTSTR_SIDECAR_DIR")
        .envs([("KTSTR_RUNS_DIR", runs.path()), ("KTSTR_COMMIT", "abc1234".as_ref())])
        .output()
        .unwrap();
    let of_run = runs.path().join("host-abc1234");
    let left = std::fs::read_dir(&of_run).map(Iterator::count);
    assert_eq!(left.ok(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_folder_that_cannot_be_written_changes_no_verdict() {
    for (test, is_pass) in
        [("a_body_that_passes_makes_a_test_that_passes", true), ("fails_on_the_host", false)]
    {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--include-ignored", "--nocapture"])
            .env("KTSTR_SIDECAR_DIR", "/proc/no-such-folder")
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), is_pass, "{printed}");
        let lines = printed
            .lines()
            .filter(|line| line.starts_with("ktstr: no record was kept: /proc/no-such-folder: "));
        assert_eq!(lines.count(), 1, "{printed}");
    }
}

fn entry(path: &str) -> &'static TestEntry {
    KTSTR_TESTS.iter().find(|entry| entry.spec.path() == path).expect(path)
}

#[test]
fn each_test_is_registered_once() {
    let mut paths: Vec<_> = KTSTR_TESTS.iter().map(|entry| entry.spec.path()).collect();
    paths.sort();
    let expected = [
        "a_body_that_passes_makes_a_test_that_passes",
        "an_error_that_is_expected_passes",
        "defaults",
        "every_key",
        "fails_on_the_host",
        "from_a_macro",
        "inner::in_a_module",
        "inner::kernel_default",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn a_test_without_keys_has_the_documented_defaults() {
    let spec = &entry("defaults").spec;
    assert_eq!(spec.scheduler, &Scheduler::EEVDF);
    assert_eq!(spec.topology, TopologyChoice::default());
    assert_eq!(spec.resolved_constraints(), TopologyConstraints::DEFAULT);
    assert_eq!((spec.memory_mb, spec.duration_s), (2048, 12));
    assert_eq!((spec.extra_sched_args, spec.extra_include_files, spec.config), (&[][..], &[][..], None));
    assert_eq!(spec.assert, Assert::NO_OVERRIDES);
    assert_eq!((spec.expect_err, spec.host_only), (false, false));
    assert_eq!((spec.mode, spec.seed), (ModeChoice::Auto, None));
    assert_eq!(spec.resolved_topology().unwrap().to_string(), "1n1l2c1t");
}

#[test]
fn every_key_reaches_its_field() {
    let spec = &entry("every_key").spec;
    assert!(std::ptr::eq(spec.scheduler, &SLOW_MEMORY));
    assert_eq!(spec.resolved_topology().unwrap().to_string(), "2n4l3c2t+1m");
    let constraints = TopologyConstraints {
        min_llcs: 2,
        max_llcs: Some(8),
        min_cpus: 4,
        max_cpus: Some(64),
        min_numa_nodes: 1,
        max_numa_nodes: Some(2),
        requires_smt: true,
    };
    assert_eq!(spec.resolved_constraints(), constraints);
    assert_eq!((spec.memory_mb, spec.disk_mb, spec.duration_s), (1024, 64, 7));
    assert_eq!(spec.extra_sched_args, ["--fifo", "--slice=5"]);
    assert_eq!(spec.extra_include_files, ["data/input.txt"]);
    assert_eq!(spec.config, Some("slice = 5"));
    let assert = Assert::NO_OVERRIDES.not_starved(false).isolation(true).max_gap_ms(900).max_spread_pct(12.5);
    let assert = assert.max_throughput_cv(0.25).min_work_rate(1000.0).min_iteration_rate(2.5);
    let assert = assert.max_p99_wake_latency_ns(5_000_000_000).max_wake_latency_cv(3.0);
    let assert = assert.max_migration_ratio(0.5).min_page_locality(1.0);
    assert_eq!(spec.assert, assert.max_cross_node_migration_ratio(1.5).max_slow_tier_ratio(0.0));
    assert_eq!(spec.cleanup_budget_ms, Some(400));
    assert!(entry("every_key").post_vm.is_some() && entry("defaults").post_vm.is_none());
    assert_eq!((spec.expect_err, spec.host_only), (true, false));
    assert_eq!((spec.mode, spec.seed), (ModeChoice::RealTime, Some(u64::MAX)));
}

#[test]
fn dimensions_that_are_absent_come_from_the_scheduler() {
    let spec = &entry("inner::in_a_module").spec;
    assert_eq!(spec.topology, TopologyChoice { threads: Some(2), ..TopologyChoice::default() });
    assert_eq!(spec.resolved_topology().unwrap().to_string(), "1n2l4c2t");
    let eevdf = &entry("inner::kernel_default").spec;
    assert_eq!((eevdf.scheduler.name, eevdf.mode), ("eevdf", ModeChoice::Deterministic));
}

#[test]
fn keys_may_come_from_a_macro() {
    let spec = &entry("from_a_macro").spec;
    assert_eq!(spec.resolved_topology().unwrap().to_string(), "1n5l4c1t");
    assert_eq!(spec.config, Some("inline"));
}

#[test]
fn a_test_knows_where_it_is() {
    let spec = &entry("inner::in_a_module").spec;
    assert_eq!((spec.name, spec.module), ("in_a_module", "declared_tests::inner"));
    assert_eq!(spec.manifest_dir, env!("CARGO_MANIFEST_DIR"));
    let (file, line) = spec.location;
    assert_eq!(file, file!());
    let source = include_str!("declared_tests.rs");
    let text = source.lines().nth(line as usize - 1).unwrap();
    assert!(text.contains("fn in_a_module("), "line {line} is {text:?}");
}

#[test]
fn a_derived_payload_has_all_that_was_said() {
    const HERE: &str = env!("CARGO_MANIFEST_DIR");
    let jobs: &'static str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/jobs");
    assert_eq!(
        (STRESS_NG.name, STRESS_NG.program, STRESS_NG.exit),
        ("stress", "stress-ng", ExpectedExit::Code(2))
    );
    assert_eq!(
        (STRESS_NG.args, STRESS_NG.include_files),
        (&["--cpu", "2", ""][..], &[jobs, "/etc/hostname"][..])
    );
    assert_eq!(
        STRESS_NG.metrics,
        [
            Metric::pattern("ops", r"cpu +(\d+)").unit("1").higher_is_better(),
            Metric::json("wait", "a.0.b").unit("us").lower_is_better(),
            Metric::json("cpus", "/a").unit("1"),
        ]
    );
    let checks = [MetricCheck::min("ops", 1.0), MetricCheck::range("wait", -1.0, 2.5).in_real_time()];
    assert_eq!(STRESS_NG.checks, checks);
    assert_eq!(StressNg::PAYLOAD, STRESS_NG);
    assert_eq!((inner::HACKBENCH.name, inner::HACKBENCH.exit), ("hackbench", ExpectedExit::Any));
    assert_eq!(inner::HACKBENCH.program, format!("{HERE}/./target/hackbench"));
}

#[test]
fn a_test_names_its_payloads() {
    let spec = entry("every_key").spec;
    assert_eq!(spec.payload, Some(&STRESS_NG));
    assert_eq!(spec.workloads, [&inner::HACKBENCH, &STRESS_NG]);
    assert_eq!(
        spec.payloads().map(|payload| payload.name).collect::<Vec<_>>(),
        ["stress", "hackbench", "stress"]
    );
}
