//! What is done to the machine while a test's body runs, as the order says: one file for each kind.
//!
//! Threads of the test process do it, under SCHED_FIFO: the scheduler under test has no say in when they run. They exist
//! before the scheduler does and wait for the body to begin. An order without a perturbation starts none.

mod niceness;
mod outages;
mod stalls;
mod timetable;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use ktstr_model::{Perturbation, SchedPolicy, Stall, Stimulus};

use self::niceness::Niceness;
use self::timetable::Timetable;
use crate::clock::monotonic_ns;
use crate::error::{GuestError, on_process};
use crate::worker::{set_affinity, set_policy};

/// Stalls come before whatever else runs on a CPU, as an interrupt does.
const STALL_PRIORITY: u32 = 90;
/// What only makes system calls need not come before more than ordinary tasks.
const CALL_PRIORITY: u32 = 50;

/// The threads that carry a perturbation out.
#[derive(Debug)]
pub(crate) struct Perturber {
    start_offset_ns: u64,
    timetable: Arc<Timetable>,
    niceness: Arc<Niceness>,
    threads: Vec<JoinHandle<Vec<Stimulus>>>,
}

impl Perturber {
    /// Starts what carries `perturbation` out and waits until it is ready; `None` when there is nothing to be done.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub(crate) fn ready(perturbation: &Perturbation) -> Result<Option<Self>, GuestError> {
        if perturbation.is_none() {
            return Ok(None);
        }
        let mut perturber = Self {
            start_offset_ns: perturbation.start_offset_ns,
            timetable: Arc::default(),
            niceness: Arc::new(Niceness::new(&perturbation.nice_changes)),
            threads: Vec::new(),
        };
        let mut by_cpu: BTreeMap<u32, Vec<Stall>> = BTreeMap::new();
        for stall in &perturbation.stalls {
            by_cpu.entry(stall.cpu).or_default().push(*stall);
        }
        for (cpu, stalls) in by_cpu {
            perturber.start(STALL_PRIORITY, Some(cpu), move |timetable| {
                stalls::carry_out(cpu, stalls, timetable)
            })?;
        }
        if !perturbation.nice_changes.is_empty() {
            let niceness = Arc::clone(&perturber.niceness);
            perturber.start(CALL_PRIORITY, None, move |timetable| niceness.carry_out(timetable))?;
        }
        if !perturbation.outages.is_empty() {
            let outages = perturbation.outages.clone();
            perturber.start(CALL_PRIORITY, None, move |timetable| outages::carry_out(outages, timetable))?;
        }
        perturber.timetable.wait_until_ready(perturber.threads.len());
        Ok(Some(perturber))
    }

    fn start(
        &mut self,
        priority: u32,
        cpu: Option<u32>,
        act: impl FnOnce(&Timetable) -> Vec<Stimulus> + Send + 'static,
    ) -> Result<(), GuestError> {
        let timetable = Arc::clone(&self.timetable);
        let perturb = move || {
            let pinned = cpu.map_or(Ok(()), |cpu| set_affinity(&[cpu].into_iter().collect()));
            let prepared = pinned.and_then(|()| set_policy(SchedPolicy::Fifo(priority)));
            timetable.one_is_ready();
            match prepared {
                Ok(()) => act(&timetable),
                Err(trouble) => vec![stimulus(monotonic_ns(), format!("not carried out: it {trouble}"))],
            }
        };
        let thread = thread::Builder::new().name("perturber".into()).spawn(perturb);
        self.threads.push(thread.map_err(on_process("start a thread"))?);
        Ok(())
    }

    /// Waits for the start offset and lets time begin: the test's body begins when this returns.
    pub(crate) fn begin(&self) {
        thread::sleep(std::time::Duration::from_nanos(self.start_offset_ns));
        self.timetable.begin();
    }

    /// Says that workers have been made: their numbers in the run, and thread ids.
    pub(crate) fn workers_began(&self, workers: impl Iterator<Item = (u32, u32)>) {
        self.niceness.workers_began(workers, self.timetable.elapsed_ns());
    }

    /// Ends the perturbation, brings all CPUs back on line and says what was done.
    ///
    /// # Errors
    /// When a thread panicked.
    pub(crate) fn end(self) -> Result<Vec<Stimulus>, GuestError> {
        self.timetable.end();
        let mut done = Vec::new();
        for thread in self.threads {
            let panicked = |_| on_process("perturb the machine")(io::Error::other("a thread panicked"));
            done.extend(thread.join().map_err(panicked)?);
        }
        done.sort_by_key(|stimulus| stimulus.began_ns);
        Ok(done)
    }
}

/// What was done from `began_ns` until now.
fn stimulus(began_ns: u64, what: String) -> Stimulus {
    Stimulus { began_ns, ended_ns: monotonic_ns(), place: "perturbation".to_owned(), what }
}
