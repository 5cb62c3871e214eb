//! The test process as the boot agent starts it, on this host: this binary runs itself with a channel in a file, and a
//! constructor takes over before `main`, as the process entry does.

#![allow(clippy::unwrap_used, reason = "helpers of tests are not in test functions")]

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use ktstr_guest::{
    Ctx, Step, TestBody, TestEntry, execute_scenario, execute_steps, in_guest, run_in_guest, scenarios,
};
use ktstr_model::{
    Assert, AssertResult, Backdrop, CgroupDef, DetailKind, GuestFailure, HoldSpec, Mode, Op, RunOrder,
    RunReport, SchedulerLaunch, SchedulerOrder, TestSpec, Topology, WorkerExit,
};
use ktstr_wire::layout::{self, word};

#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = before_main;

extern "C" fn before_main() {
    if in_guest() {
        run_in_guest(ENTRIES.iter());
    }
}

static ENTRIES: [TestEntry; 10] = [
    entry("passes", |ctx| {
        println!("seed {}", ctx.seed());
        Ok(AssertResult::pass().with_note(format!("{} workers", ctx.workers_per_cgroup)))
    }),
    entry("fails", |_| Ok(AssertResult::fail_msg("late"))),
    entry("errs", |_| Err(anyhow::anyhow!("no such file").context("reading the table"))),
    entry("panics", |_| panics_here()),
    entry("panics_in_a_thread", |_| {
        drop(std::thread::spawn(|| panic!("only the thread")).join());
        Ok(AssertResult::pass())
    }),
    entry("steady", scenarios::steady),
    entry("panics_in_a_step", |ctx| {
        let factory = |_: &Ctx| -> Vec<CgroupDef> { panic!("no such table") };
        let steps =
            vec![Step::new(vec![], HoldSpec::frac(0.1)), Step::with_factory(factory, HoldSpec::frac(0.1))];
        execute_steps(ctx, steps)
    }),
    entry("has_no_steps", |ctx| execute_steps(ctx, Vec::new())),
    entry("snapshots_late", |ctx| {
        let late = Step::new(vec![Op::snapshot("late")], HoldSpec::frac(0.5));
        let early = Step::with_defs(vec![CgroupDef::named("cell")], HoldSpec::frac(0.5));
        execute_scenario(ctx, Backdrop::EMPTY, vec![early, late])
    }),
    entry("dies", |_| std::process::abort()),
];

const fn entry(name: &'static str, body: TestBody) -> TestEntry {
    TestEntry::new(TestSpec::new(name, "before_main"), body)
}

#[inline(never)]
fn panics_here() -> anyhow::Result<AssertResult> {
    let table: Vec<u32> = Vec::new();
    panic!("table of {}", table.len())
}

fn order(test: &str) -> RunOrder {
    RunOrder {
        seed: 7,
        duration_ns: 400_000_000,
        settle_ns: 100_000_000,
        workers_per_cgroup: 2,
        assert: Assert::NO_OVERRIDES.not_starved(true),
        ..RunOrder::plain(test, Topology::of(1, 1, 2, 1), Mode::RealTime)
    }
}

struct Channel(File);

impl Channel {
    fn with(order: &RunOrder) -> Self {
        let file = tempfile::tempfile().unwrap();
        file.set_len(layout::CHANNEL_SIZE).unwrap();
        let order = ktstr_wire::encode(order).unwrap();
        let channel = Self(file);
        channel.put(word::MAGIC, &layout::MAGIC.to_le_bytes());
        channel.put(word::VERSION, &layout::VERSION.to_le_bytes());
        channel.put(word::ORDER_LEN, &(order.len() as u64).to_le_bytes());
        channel.put(layout::ORDER.offset as usize, &order);
        channel
    }

    fn put(&self, offset: usize, bytes: &[u8]) {
        self.0.write_all_at(bytes, offset as u64).unwrap();
    }

    fn word(&self, offset: usize) -> u64 {
        let mut bytes = [0; 8];
        self.0.read_exact_at(&mut bytes, offset as u64).unwrap();
        u64::from_le_bytes(bytes)
    }

    /// Starts this binary as the agent would.
    fn run(&self) -> Output {
        let fd = self.0.as_raw_fd();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(layout::GUEST_VARIABLE, "0");
        // SAFETY: `dup2` and `fcntl` may be called between fork and exec.
        unsafe {
            command.pre_exec(move || {
                // A descriptor that is in its place already keeps its flags, so they are set in any case.
                let moved = libc::dup2(fd, layout::CHANNEL_FD) >= 0
                    && libc::fcntl(layout::CHANNEL_FD, libc::F_SETFD, 0) >= 0;
                if moved { Ok(()) } else { Err(std::io::Error::last_os_error()) }
            })
        };
        command.output().unwrap()
    }

    fn report(&self) -> RunReport {
        let mut bytes = vec![0; self.word(word::REPORT_LEN) as usize];
        self.0.read_exact_at(&mut bytes, layout::REPORT.offset).unwrap();
        ktstr_wire::decode("the report", &bytes).unwrap()
    }
}

/// Runs a test that must report.
fn reported(order: &RunOrder) -> (RunReport, Channel, Output) {
    let channel = Channel::with(order);
    let output = channel.run();
    assert!(output.status.success(), "{output:?}");
    let report = channel.report();
    assert_eq!(report.digest, report.computed_digest());
    assert!(report.guest_ns > 0);
    (report, channel, output)
}

#[test]
fn a_result_is_reported_and_main_never_runs() {
    let (report, channel, output) = reported(&order("passes"));
    assert_eq!(report.result, Ok(AssertResult::pass().with_note("2 workers")));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "seed 7\n", "no line of libtest's");
    assert_ne!(channel.word(word::TEST_BEGAN_NS), 0);
    assert_eq!(channel.word(word::STAGE) as u32, layout::stage::TEST_BEGAN);
    let (report, ..) = reported(&order("fails"));
    assert_eq!(report.result, Ok(AssertResult::fail_msg("late")));
}

#[test]
fn errors_come_with_their_chain() {
    let (report, ..) = reported(&order("errs"));
    assert_eq!(report.result, Err(GuestFailure::TestError("reading the table: no such file".into())));
}

#[test]
fn a_panic_comes_with_message_place_and_stack() {
    let (report, _, output) = reported(&order("panics"));
    let Err(GuestFailure::TestPanic { message, location, frames }) = report.result else {
        panic!("{:?}", report.result)
    };
    assert_eq!(message, "table of 0");
    assert!(location.contains("before_main.rs:"), "{location}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("table of 0"));
    // The function's address in this process and in that one differ, its address in the file does not.
    let begin = panics_here as fn() -> _ as usize as u64 - load_base();
    let inside = |address: u64| (begin..begin + 400).contains(&address);
    assert!(frames.iter().any(|frame| inside(frame.relative_address)), "{begin:#x} in {frames:x?}");
}

/// Where this process's own executable is loaded: its first mapping in the kernel's list.
fn load_base() -> u64 {
    let exe = std::env::current_exe().unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let first = maps.lines().find(|line| line.ends_with(&*exe.to_string_lossy())).unwrap();
    u64::from_str_radix(first.split('-').next().unwrap(), 16).unwrap()
}

#[test]
fn a_panic_of_another_thread_is_its_own_affair() {
    let (report, _, output) = reported(&order("panics_in_a_thread"));
    assert_eq!(report.result, Ok(AssertResult::pass()));
    assert!(String::from_utf8_lossy(&output.stderr).contains("only the thread"));
}

#[test]
fn a_scenario_that_makes_no_sense_does_nothing() {
    let (report, ..) = reported(&order("panics_in_a_step"));
    let Err(GuestFailure::TestPanic { message, .. }) = report.result else { panic!("{:?}", report.result) };
    assert_eq!(message, "step 2, its setup function: no such table");
    for (test, words) in [
        ("has_no_steps", "scenario: it has no steps"),
        ("snapshots_late", "step 2, op 1 (Snapshot late): snapshots need the host"),
    ] {
        let (report, ..) = reported(&order(test));
        let Err(GuestFailure::TestError(why)) = report.result else { panic!("{:?}", report.result) };
        assert!(why.starts_with(words), "{why}");
        assert_eq!((report.workers, report.stimuli), (Vec::new(), Vec::new()));
    }
}

#[test]
fn what_cannot_be_prepared_says_why() {
    let (report, channel, _) = reported(&order("no_such_test"));
    let Err(GuestFailure::Setup(why)) = report.result else { panic!("{:?}", report.result) };
    assert_eq!(why, "this test binary has no test `no_such_test`");
    assert_eq!(channel.word(word::TEST_BEGAN_NS), 0);

    let sysctls = vec![("kernel.no_such_thing".to_owned(), "1".to_owned())];
    let (report, ..) = reported(&RunOrder { sysctls, ..order("passes") });
    let Err(GuestFailure::Setup(why)) = report.result else { panic!("{:?}", report.result) };
    assert!(
        why.starts_with("cannot set kernel.no_such_thing = 1 in /proc/sys/kernel/no_such_thing"),
        "{why}"
    );

    let launch = SchedulerLaunch::Builtin { enable: vec!["reboot".into()], disable: Vec::new() };
    let scheduler = Some(SchedulerOrder { name: "b".into(), launch, enable_timeout_ns: 1, read_bpf: false });
    let (report, ..) = reported(&RunOrder { scheduler, ..order("passes") });
    let Err(GuestFailure::Setup(why)) = report.result else { panic!("{:?}", report.result) };
    assert!(why.contains("`reboot`"), "{why}");
}

#[test]
fn without_a_report_the_exit_says_so() {
    let channel = Channel::with(&order("dies"));
    assert!(!channel.run().status.success());
    assert_eq!(channel.word(word::REPORT_LEN), 0);

    let channel = Channel::with(&order("passes"));
    channel.put(word::MAGIC, b"no");
    let output = channel.run();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr).starts_with("ktstr: the channel begins with"),
        "{output:?}"
    );
}

#[test]
fn steady_runs_where_there_are_cgroups() {
    let began = Instant::now();
    let (report, ..) = reported(&order("steady"));
    let result = match report.result {
        Err(GuestFailure::TestError(why)) if why.contains("cgroup") && may_not_make_cgroups() => {
            eprintln!("skipped: {why}");
            return;
        }
        result => result.unwrap(),
    };
    assert_eq!(result, AssertResult::pass());
    let stimuli: Vec<&str> = report.stimuli.iter().map(|stimulus| stimulus.what.as_str()).collect();
    assert_eq!(stimuli, ["sets up cell_0, cell_1", "ends", "ends"]);
    assert!(report.stimuli[1].began_ns - report.stimuli[0].ended_ns >= 500_000_000, "{:?}", report.stimuli);
    let places: Vec<(&str, u32)> = report.workers.iter().map(|w| (w.cgroup.as_str(), w.index)).collect();
    assert_eq!(places, [("cell_0", 0), ("cell_0", 1), ("cell_1", 0), ("cell_1", 1)]);
    for worker in &report.workers {
        assert_eq!(worker.exit, WorkerExit::Stopped);
        assert!(worker.work_units > 20, "{worker:?}");
        assert!(worker.wall_ns >= 400_000_000 && worker.wall_ns <= began.elapsed().as_nanos() as u64);
    }

    // A gap of 0 ms is more than anybody can do.
    let assert = Assert::NO_OVERRIDES.max_gap_ms(0);
    let (report, ..) = reported(&RunOrder { assert, ..order("steady") });
    let details = report.result.unwrap().details;
    assert_eq!(details.len(), 4);
    assert!(details.iter().all(|detail| detail.kind == DetailKind::Gap));

    // In deterministic mode three turns are the least that can be judged.
    let deterministic =
        RunOrder { mode: Mode::Deterministic, turn_ns: 12_000_000, assert, ..order("steady") };
    let result = reported(&deterministic).0.result.unwrap();
    assert!(!result.is_failed() && result.notes[0].contains("not applicable"), "{result:?}");
}

fn may_not_make_cgroups() -> bool {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let root = mounts.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        (fields[2] == "cgroup2").then(|| fields[1].to_owned())
    });
    root.is_none_or(|root| {
        let probe = format!("{root}/ktstr_before_main_probe");
        std::fs::create_dir(&probe).and_then(|()| std::fs::remove_dir(&probe)).is_err()
    })
}

#[test]
fn waiting_without_a_scheduler_takes_its_time() {
    let ctx = Ctx::on_this_machine(&order("passes")).unwrap();
    let began = Instant::now();
    assert_eq!(ctx.hold(Duration::from_millis(80)), ktstr_guest::HoldEnd::Elapsed);
    assert!(began.elapsed() >= Duration::from_millis(80));
    assert!(ctx.scheduler_alive());
    assert_eq!(ctx.sched_pid, None);
}
