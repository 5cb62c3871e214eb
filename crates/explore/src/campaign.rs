//! Carrying a campaign out: as many machines at once as there are jobs, each making the next run.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use ktstr_harness::{Finished, VariedRuns};
use ktstr_model::{RunReport, Variation, Verdict};

use crate::folder::FolderError;
use crate::ground::Ground;
use crate::groups::Tally;
use crate::interrupt;
use crate::outcome::Outcome;
use crate::request::Limit;
use crate::signature::Signature;
use crate::strategy::Strategy;

/// How often the watcher is told, at least.
const LOOK: Duration = Duration::from_millis(200);

/// Why a campaign ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// All runs are made, or the time is over.
    Complete,
    /// A run failed, and that was to be the end.
    Failure,
    /// SIGINT or SIGTERM.
    Interrupted,
}

/// What came of a campaign.
#[derive(Debug)]
pub struct Done {
    /// All runs, those of earlier times included.
    pub tally: Tally,
    /// Runs of this time.
    pub new_runs: u64,
    /// Wall time of this time.
    pub wall: Duration,
    /// Why it ended.
    pub end: End,
}

/// How a campaign is carried out.
pub struct Conduct<'a> {
    /// The test.
    pub runs: &'a VariedRuns,
    /// How runs differ.
    pub strategy: &'a dyn Strategy,
    /// When it is over.
    pub limit: Limit,
    /// Machines at once.
    pub jobs: usize,
    /// The first failure ends it.
    pub stop_on_failure: bool,
}

/// Who is told how a campaign comes on.
pub trait Watcher {
    /// A run has ended; `tally` includes it.
    ///
    /// # Errors
    /// When its result cannot be kept: that ends the campaign.
    fn run_ended(&mut self, outcome: &Outcome, finished: &Finished, tally: &Tally)
    -> Result<(), FolderError>;

    /// Called after each run, and now and then between: the time that this has taken so far, and the runs made in it.
    fn look(&mut self, tally: &Tally, time: Duration, new_runs: u64);
}

/// The numbers of the runs that are still to be made.
struct Queue {
    next: AtomicU64,
    made: HashSet<u64>,
    limit: Limit,
    began: Instant,
    closed: AtomicBool,
}

impl Queue {
    fn new(limit: Limit, earlier: &[Outcome]) -> Self {
        let made = earlier.iter().map(|outcome| outcome.number).collect();
        Self { next: AtomicU64::new(1), made, limit, began: Instant::now(), closed: AtomicBool::new(false) }
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    fn next(&self) -> Option<u64> {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let over = match self.limit {
                Limit::Runs(runs) => number > runs,
                Limit::Time(time) => self.began.elapsed() >= time,
            };
            if over || self.closed.load(Ordering::Relaxed) {
                return None;
            }
            if !self.made.contains(&number) {
                return Some(number);
            }
        }
    }
}

/// One run, told by the thread that made it.
struct Message {
    outcome: Outcome,
    finished: Finished,
}

impl Conduct<'_> {
    /// The plain run: the test as it is.
    pub fn plain_run(&self) -> (Outcome, Ground) {
        let began = Instant::now();
        let order = self.runs.order();
        let (cpus, duration_ns) = (order.topology.cpus(), order.duration_ns);
        let finished = self.runs.run(&Variation::default());
        let ground = match report_of(&finished) {
            Some(report) => Ground::of_report(cpus, duration_ns, report),
            None => Ground::without_report(cpus, duration_ns),
        };
        (outcome(0, &finished, &Variation::default(), began.elapsed()), ground)
    }

    /// Makes the runs that are not among the `earlier` ones.
    ///
    /// # Errors
    /// When `watcher` cannot keep a result.
    pub fn carry_out(
        &self,
        ground: &Ground,
        earlier: &[Outcome],
        watcher: &mut dyn Watcher,
    ) -> Result<Done, FolderError> {
        let began = Instant::now();
        let mut tally = Tally::default();
        earlier.iter().for_each(|outcome| tally.add(outcome));
        let queue = Queue::new(self.limit, earlier);
        let mut end = End::Complete;
        if self.stop_on_failure && tally.failures() > 0 {
            end = End::Failure;
            queue.close();
        }
        let mut new_runs = 0;
        let (sender, inbox) = channel();
        std::thread::scope(|scope| {
            for _ in 0..self.jobs {
                let (sender, queue) = (sender.clone(), &queue);
                scope.spawn(move || self.make_runs(queue, ground, &sender));
            }
            drop(sender);
            loop {
                watcher.look(&tally, began.elapsed(), new_runs);
                if interrupt::came() {
                    end = End::Interrupted;
                    queue.close();
                }
                match inbox.recv_timeout(LOOK) {
                    Ok(Message { outcome, finished }) => {
                        new_runs += 1;
                        tally.add(&outcome);
                        let kept = watcher.run_ended(&outcome, &finished, &tally);
                        if kept.is_err() {
                            queue.close();
                        }
                        kept?;
                        if outcome.failed() && self.stop_on_failure {
                            end = End::Failure;
                            queue.close();
                        }
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => {
                        return Ok(Done { tally, new_runs, wall: began.elapsed(), end });
                    }
                }
            }
        })
    }

    fn make_runs(&self, queue: &Queue, ground: &Ground, sender: &Sender<Message>) {
        while let Some(number) = queue.next() {
            let Some(variation) = self.strategy.variation(number, ground) else { return };
            let began = Instant::now();
            let finished = self.runs.run(&variation);
            let outcome = outcome(number, &finished, &variation, began.elapsed());
            if sender.send(Message { outcome, finished }).is_err() {
                return;
            }
        }
    }
}

fn report_of(finished: &Finished) -> Option<&RunReport> {
    finished.evidence.as_ref()?.report.as_ref()?.as_ref().ok()
}

fn outcome(number: u64, finished: &Finished, variation: &Variation, wall: Duration) -> Outcome {
    let Finished { record, judgement, evidence } = finished;
    let failed = !matches!(record.verdict, Verdict::Pass | Verdict::Skip);
    let signature = failed.then(|| {
        let log = evidence.as_ref().map_or("", |evidence| evidence.scheduler_log.as_str());
        Signature::new(judgement.cause, &judgement.headline, &judgement.details, log)
    });
    Outcome {
        number,
        verdict: record.verdict,
        signature,
        headline: if failed { judgement.headline.clone() } else { String::new() },
        digest: record.digest,
        guest_ns: record.guest_ns,
        wall_ms: wall.as_secs_f64() * 1e3,
        variation: failed.then(|| variation.clone()),
        token: record.replay_token,
    }
}
