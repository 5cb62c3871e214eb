//! A worker's life, from its first instruction to its last.

use std::ffi::CString;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::Duration;

use ktstr_model::Mode;
use rustix::thread::gettid;

use super::bench::{Bench, current_cpu};
use super::numa_pages;
use super::places::CpuPlaces;
use super::settings::Settings;
use super::shared::{Control, Gate, Record, finished};
use super::work::{Trouble, Work};
use crate::clock::{monotonic_ns, thread_cpu_ns};
use ktstr_model::SplitMix64;

/// A worker that is to be: all that it needs, so that nothing has to be looked for after the fork.
pub(crate) struct Member {
    /// What it does.
    pub work: Box<dyn Work>,
    /// Its command.
    pub name: CString,
    /// Affinity, policies and user.
    pub settings: Settings,
    /// Its own random numbers.
    pub random: SplitMix64,
    /// What the clock follows.
    pub mode: Mode,
    /// The machine's CPUs.
    pub places: Arc<CpuPlaces>,
    /// Whether the machine has more than one NUMA node, so that pages are worth counting.
    pub numa: bool,
}

impl Member {
    /// Lives the worker's life. On return it has ended by itself, and `record` says how.
    pub(crate) fn live(mut self, control: &Control, record: &mut Record) {
        record.tid = gettid().as_raw_nonzero().get().unsigned_abs();
        let _ = rustix::thread::set_name(&self.name);
        control.wait_at(Gate::Placed);
        let random = self.random.clone();
        let mut bench = Bench::new(control, record, Arc::clone(&self.places), self.mode, random);
        let prepared = self.prepare(&mut bench);
        let accounts = Accounts::open(self.numa);
        let prepared = prepared.and_then(|()| self.settings.drop_rights());
        control.one_is_ready();
        let ended = prepared.and_then(|()| {
            control.wait_at(Gate::Open);
            run(self.work.as_mut(), &mut bench, &accounts)
        });
        self.work.finish();
        bench.record().finished = match ended {
            Ok(()) => finished::STOPPED,
            Err(trouble) => {
                bench.record().trouble.set(&trouble.to_string());
                finished::FAILED
            }
        };
    }

    fn prepare(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        self.settings.apply()?;
        self.work.prepare(bench)
    }
}

/// Works until told to stop. Between checkpoints the bookkeeping makes no system call and allocates nothing.
fn run(work: &mut dyn Work, bench: &mut Bench<'_>, accounts: &Accounts) -> Result<(), Trouble> {
    let control = bench.control();
    let measure_from_ns = control.measure_from_ns();
    let mut before = accounts.read();
    bench.begin_account();
    bench.shift_phase();
    if monotonic_ns() < measure_from_ns {
        while !control.stopped() && monotonic_ns() < measure_from_ns {
            match work.measures_itself() {
                true => {
                    std::thread::sleep(Duration::from_nanos(measure_from_ns.saturating_sub(monotonic_ns())))
                }
                false => work.step(bench)?,
            }
        }
        before = accounts.read();
        bench.begin_account();
    }
    bench.begin_measuring(measure_from_ns);
    let mut outcome = Ok(());
    while !control.stopped() && outcome.is_ok() {
        outcome = work.step(bench);
        // What is done after the stop is not counted: a worker that gets its first CPU time then has starved.
        if !control.stopped() && outcome.is_ok() {
            bench.checkpoint();
        }
    }
    let regions = bench.regions().to_vec();
    let record = bench.record();
    record.cpu_end_ns = thread_cpu_ns();
    record.end_cpu = current_cpu();
    accounts.note(record, &before);
    if accounts.vmstat.is_some() {
        record.numa_pages = numa_pages::of(&regions);
    }
    outcome
}

/// The kernel's accounts of this worker, opened before its rights are dropped.
struct Accounts {
    schedstat: Option<File>,
    /// Only where there is more than one NUMA node.
    vmstat: Option<File>,
}

/// What they said at one time.
#[derive(Default)]
struct Reading {
    schedstat: Option<[u64; 3]>,
    pages_migrated: u64,
}

impl Accounts {
    fn open(numa: bool) -> Self {
        let vmstat = if numa { File::open("/proc/vmstat").ok() } else { None };
        Self { schedstat: File::open("/proc/thread-self/schedstat").ok(), vmstat }
    }

    fn read(&self) -> Reading {
        Reading {
            schedstat: self.schedstat.as_ref().and_then(read_schedstat),
            pages_migrated: self.vmstat.as_ref().and_then(read_pages_migrated).unwrap_or(0),
        }
    }

    fn note(&self, record: &mut Record, before: &Reading) {
        let now = self.read();
        if let (Some(now), Some(before)) = (now.schedstat, before.schedstat) {
            record.schedstat = std::array::from_fn(|field| now[field].saturating_sub(before[field]));
            record.has_schedstat = 1;
        }
        record.numa_pages_migrated = now.pages_migrated.saturating_sub(before.pages_migrated);
    }
}

/// CPU time, run delay and time slices; `None` where the kernel keeps no such account (all zeroes, though this task has
/// run).
fn read_schedstat(file: &File) -> Option<[u64; 3]> {
    let mut text = [0; 96];
    let len = file.read_at(&mut text, 0).ok()?;
    let mut fields = std::str::from_utf8(&text[..len]).ok()?.split_ascii_whitespace().map(str::parse);
    let mut next = || fields.next()?.ok();
    let values = [next()?, next()?, next()?];
    (values != [0; 3]).then_some(values)
}

fn read_pages_migrated(mut file: &File) -> Option<u64> {
    let mut text = String::new();
    rustix::fs::seek(file, rustix::fs::SeekFrom::Start(0)).ok()?;
    file.read_to_string(&mut text).ok()?;
    text.lines().find_map(|line| line.strip_prefix("numa_pages_migrated ")?.parse().ok())
}
