use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use ktstr_model::{AssertResult, CgroupDef, CpusetSpec, HoldSpec, Mode, Op, Payload, TestSpec, Topology};

use super::*;
use crate::entry::TestBody;
use crate::steps::{Step, execute_defs, execute_steps};

fn order() -> RunOrder {
    let plain = RunOrder::plain("t", Topology::of(1, 2, 2, 1), Mode::Deterministic);
    RunOrder { seed: 1, duration_ns: 1_000_000_000, workers_per_cgroup: 2, ..plain }
}

fn said(body: TestBody) -> Option<String> {
    refused_plan(&TestEntry::new(TestSpec::new("t", "tests"), body), &order())
}

fn ops(ctx: &Ctx, ops: Vec<Op>) -> anyhow::Result<AssertResult> {
    execute_steps(ctx, vec![Step::new(ops, HoldSpec::FULL)])
}

#[test]
fn a_plan_that_makes_no_sense_is_told_in_the_words_of_the_guest() {
    let words = said(|ctx| ops(ctx, vec![Op::snapshot("before")])).unwrap();
    assert!(words.starts_with("step 1, op 1 (Snapshot before): snapshots need the host"), "{words}");
    let words = said(|ctx| ops(ctx, vec![Op::watch_snapshot("nr_running")])).unwrap();
    assert!(words.starts_with("step 1, op 1 (WatchSnapshot nr_running): "), "{words}");

    static BENCH: Payload = Payload::binary("bench", "schbench");
    let words = said(|ctx| ops(ctx, vec![Op::run_payload(&BENCH, [""; 0])])).unwrap();
    assert!(words.contains("payload bench is not here"), "{words}");
}

#[test]
fn the_machine_is_the_one_that_the_test_will_have() {
    let last_llc = |ctx: &Ctx| {
        let cell = CgroupDef::named("cell").with_cpuset(CpusetSpec::llc(1));
        execute_defs(ctx, vec![cell])
    };
    assert_eq!(said(last_llc), None);
    assert_eq!(said(|ctx| ops(ctx, vec![Op::cpu_offline(3), Op::cpu_online(3)])), None);
    let words = said(|ctx| {
        let cell = CgroupDef::named("cell").with_cpuset(CpusetSpec::llc(ctx.topo.llcs().len()));
        execute_defs(ctx, vec![cell])
    });
    let words = words.unwrap();
    assert!(words.starts_with("step 1, cgroup cell: ") && words.contains("LLCs 0 to 1"), "{words}");
}

#[test]
fn an_error_with_context_is_told_whole() {
    use anyhow::Context as _;
    let words = said(|ctx| ops(ctx, vec![Op::cpu_offline(9)]).context("the second half")).unwrap();
    assert!(words.starts_with("the second half: step 1, op 1 (CpuOffline 9): there is no CPU 9"), "{words}");
}

#[test]
fn what_else_a_body_says_is_for_the_guest_to_tell() {
    assert_eq!(said(|_| anyhow::bail!("no luck")), None);
    assert_eq!(said(|_| panic!("no luck either")), None);
    let handled = |ctx: &Ctx| {
        assert!(ops(ctx, vec![Op::cpu_offline(9)]).is_err());
        Ok(AssertResult::pass())
    };
    assert_eq!(said(handled), None);
}

/// What a body would leave if it could.
static TRACE: OnceLock<PathBuf> = OnceLock::new();

#[test]
fn a_body_does_nothing_to_the_host() {
    let folder = tempfile::tempdir().unwrap();
    let trace = TRACE.get_or_init(|| folder.path().join("trace"));
    // A plan that is refused follows each of these: what ended the rehearsal is what came before.
    let bodies: [TestBody; 4] = [
        |ctx| {
            std::fs::write(TRACE.get().unwrap(), "")?;
            ops(ctx, vec![Op::cpu_offline(9)])
        },
        |ctx| {
            drop(ctx.cgroups.create("cell")?);
            ops(ctx, vec![Op::cpu_offline(9)])
        },
        |ctx| {
            ctx.hold(Duration::from_secs(3600));
            ops(ctx, vec![Op::cpu_offline(9)])
        },
        |ctx| {
            std::thread::spawn(|| ()).join().ok();
            ops(ctx, vec![Op::cpu_offline(9)])
        },
    ];
    for body in bodies {
        assert_eq!(said(body), None);
    }
    assert!(!trace.exists());
    let prints: TestBody = |ctx| {
        println!("into the void");
        ops(ctx, vec![Op::cpu_offline(9)])
    };
    assert!(said(prints).is_some());
}

#[test]
fn a_body_that_does_not_end_is_given_up() {
    let spins: TestBody = |_| loop {
        std::hint::spin_loop();
    };
    assert_eq!(said(spins), None);
}

#[test]
fn a_body_that_works_before_it_plans_is_given_up() {
    let works: TestBody = |ctx| {
        let mut sum = 0_u64;
        while cpu_time() < 4 * Duration::from_micros(CPU_US as u64) {
            sum = std::hint::black_box(sum + 1);
        }
        ops(ctx, vec![Op::cpu_offline(9)])
    };
    assert_eq!(said(works), None);
}

/// CPU time of this process.
fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the place is valid.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
