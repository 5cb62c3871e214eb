//! The test process in a guest, from its first line to its exit.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ktstr_model::{
    AssertResult, Cleanup, Digest, GuestFailure, RunOrder, RunReport, RunResult, SchedulerReport, TestSpec,
};
use ktstr_wire::layout;

use crate::by_hand::KEEP_SCHEDULER;
use crate::channel::Channel;
use crate::clock::monotonic_ns;
use crate::context::Ctx;
use crate::error::GuestError;
use crate::kernel_log::Follower;
use crate::ledger::Entries;
use crate::perturb::Perturber;
use crate::scheduler::RunningScheduler;
use crate::topology::TestTopology;
use crate::{device_links, guest_disk, load_point, panic, sysctl};

/// The function that a test author writes.
pub type TestBody = fn(&Ctx) -> anyhow::Result<AssertResult>;

/// A host-side step of a test, after its machine has ended: looks at the run and says what is wrong with it.
pub type PostVm = fn(&RunResult) -> anyhow::Result<AssertResult>;

/// A declared test with its body.
#[derive(Clone, Copy, Debug)]
pub struct TestEntry {
    /// What its declaration says.
    pub spec: TestSpec,
    /// What it runs.
    pub body: TestBody,
    /// What the host does once the machine has ended.
    pub post_vm: Option<PostVm>,
}

impl TestEntry {
    /// A test without a host-side step.
    pub const fn new(spec: TestSpec, body: TestBody) -> Self {
        Self { spec, body, post_vm: None }
    }
}

/// Does nothing: the scheduler is started, and stopped again.
pub static LOAD_ONLY: TestEntry =
    TestEntry::new(TestSpec::new(TestSpec::LOAD_ONLY, "ktstr"), |_| Ok(AssertResult::pass()));

/// Whether this process was started by a guest's boot agent to run one test.
pub fn in_guest() -> bool {
    std::env::var_os(layout::GUEST_VARIABLE).is_some()
}

/// Runs the test that the channel's order names, reports, and ends the process: with code 0 when a report was written,
/// whatever it says, and with 1 and a message on stderr when not.
///
/// May be called before `main`, from a constructor.
pub fn run_in_guest(entries: impl Iterator<Item = &'static TestEntry>) -> ! {
    let code = match Channel::inherited().and_then(|channel| run(&channel, entries)) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("ktstr: {error}");
            1
        }
    };
    // The body's prints must not get lost; that there is nobody to read them is no failure.
    drop(std::io::stdout().flush());
    // SAFETY: ends the process. Destructors of a program that has not reached its `main` shall not run.
    unsafe { libc::_exit(code) }
}

/// For code that runs before `main`: what the standard library sets up just before it. A write to a closed pipe is an
/// error, not the end.
pub fn as_after_main_began() {
    // SAFETY: sets a disposition; no handler is involved.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// What came of a run.
struct Outcome {
    result: Result<AssertResult, GuestFailure>,
    entries: Entries,
    scheduler: Option<SchedulerReport>,
    cleanup: Cleanup,
}

impl Outcome {
    /// The test has not begun.
    fn not_begun(failure: GuestFailure) -> Self {
        Self {
            result: Err(failure),
            entries: Entries::default(),
            scheduler: None,
            cleanup: Cleanup::default(),
        }
    }

    fn setup(error: &GuestError) -> Self {
        Self::not_begun(GuestFailure::Setup(error.to_string()))
    }
}

fn run(channel: &Channel, entries: impl Iterator<Item = &'static TestEntry>) -> Result<(), GuestError> {
    as_after_main_began();
    // Before there is an order, so that the clones of a loaded template need not do it again.
    let topology = TestTopology::from_sysfs(Path::new("/sys"));
    device_links::make();
    load_point::wait_for_order(channel)?;
    let began_ns = monotonic_ns();
    let order = channel.order()?;
    let mut kernel_log = KernelLog { channel, follower: None };
    let outcome =
        match entries.chain([&LOAD_ONLY, &KEEP_SCHEDULER]).find(|entry| entry.spec.path() == order.test) {
            Some(entry) => {
                topology.and_then(|topology| run_test(channel, &order, topology, entry, &mut kernel_log))
            }
            None => Err(GuestError::UnknownTest(order.test)),
        };
    let outcome = outcome.unwrap_or_else(|error| Outcome::setup(&error));
    let Outcome { result, entries, scheduler, mut cleanup } = outcome;
    let Entries { workers, stimuli, payloads, metrics, death } = entries;
    let scheduler = scheduler.map(|report| SchedulerReport { died: death, ..report });
    let (sched_ext_log, kernel_log_ns) = timed(|| kernel_log.finish());
    cleanup.kernel_log_ns = kernel_log_ns;
    let sched_ext_log = sched_ext_log.unwrap_or_else(|error| {
        eprintln!("ktstr: no kernel log: {error}");
        Vec::new()
    });
    let guest_ns = monotonic_ns() - began_ns;
    let report = RunReport {
        result,
        workers,
        stimuli,
        payloads,
        metrics,
        scheduler,
        sched_ext_log,
        cleanup,
        guest_ns,
        digest: Digest::default(),
    };
    channel.write_report(&report.with_digest())
}

/// What something came to, and how long it took in nanoseconds.
fn timed<T>(act: impl FnOnce() -> T) -> (T, u64) {
    let began_ns = monotonic_ns();
    let done = act();
    (done, monotonic_ns() - began_ns)
}

/// The kernel's log on its way into the channel.
struct KernelLog<'a> {
    channel: &'a Channel,
    follower: Option<Follower>,
}

impl KernelLog<'_> {
    /// Begins to copy it. From then on it is there whatever becomes of the guest. Where that is not possible, `finish`
    /// tries again and says why.
    fn follow(&mut self) -> Result<(), GuestError> {
        if self.follower.is_none() {
            let log = self.channel.log("kernel log", layout::KERNEL_LOG)?;
            self.follower = Some(Follower::start(Path::new("/dev/kmsg"), log)?);
        }
        Ok(())
    }

    /// Copies all of it and returns the lines that concern sched_ext.
    fn finish(mut self) -> Result<Vec<String>, GuestError> {
        self.follow()?;
        self.follower.map_or_else(|| Ok(Vec::new()), Follower::finish)
    }
}

/// Prepares the guest, runs the body, and stops the scheduler.
fn run_test(
    channel: &Channel,
    order: &RunOrder,
    topology: TestTopology,
    entry: &TestEntry,
    kernel_log: &mut KernelLog<'_>,
) -> Result<Outcome, GuestError> {
    sysctl::apply(Path::new("/proc"), &order.sysctls)?;
    if order.has_disk {
        guest_disk::mount_it()?;
    }
    let ctx = Ctx::with_topology(topology, order)?;
    if order.cgroup_parent.is_some() {
        ctx.cgroups.make_parent()?;
    }
    let perturber = Perturber::ready(&order.perturbation)?;
    let scheduler = match &order.scheduler {
        None => None,
        Some(scheduler) => {
            drop(kernel_log.follow());
            let log = channel.log("scheduler log", layout::SCHEDULER_LOG)?;
            match RunningScheduler::start(scheduler, log, Path::new("/sys")) {
                Ok(running) => Some(running),
                Err(not) => {
                    return Ok(Outcome { scheduler: Some(not.report), ..Outcome::not_begun(not.failure) });
                }
            }
        }
    };
    let ctx = ctx.with_scheduler(scheduler);
    panic::record_panics();
    channel.test_begins(monotonic_ns());
    // Without a scheduler nothing before this is likely to be the end of the guest, and reading the messages of the
    // whole boot would hold the test's first line up.
    drop(kernel_log.follow());
    let ctx = ctx.perturbed(perturber);
    let result = match catch_unwind(AssertUnwindSafe(|| (entry.body)(&ctx))) {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(error)) => Err(GuestFailure::TestError(format!("{error:#}"))),
        Err(payload) => Err(panic::failure_of(&*payload)),
    };
    // Without its workers the context is little more than the cgroups that it removes.
    let ((entries, scheduler), cgroups_ns) = timed(|| ctx.into_parts());
    let (scheduler, scheduler_ns) = timed(|| scheduler.map(RunningScheduler::stop));
    let cleanup = Cleanup { cgroups_ns, scheduler_ns, kernel_log_ns: 0 };
    Ok(Outcome { result, entries, scheduler, cleanup })
}
