//! Carrying a campaign out: as many machines at once as there are jobs, each making the next run.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use ktstr_harness::{Finished, HarnessError, VariedRuns};
use ktstr_model::{RunOrder, RunReport, Variation, Verdict};

use crate::folder::FolderError;
use crate::ground::Ground;
use crate::groups::Tally;
use crate::interrupt;
use crate::outcome::{Outcome, name_of};
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

/// Why a campaign could not go on. What it had is kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CampaignError {
    /// A result could not be kept.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The host could not carry a run out, which says nothing about the test.
    #[error("{} could not be carried out: {why}\n  The same command goes on with it; the runs before are kept.", name_of(*.number))]
    Host {
        /// The run.
        number: u64,
        /// What the host lacked.
        why: Box<HarnessError>,
    },
}

impl CampaignError {
    fn host(number: u64, why: HarnessError) -> Self {
        Self::Host { number, why: Box::new(why) }
    }
}

/// What makes the runs of a test.
pub trait Runner: Sync {
    /// The order of the plain run.
    fn order(&self) -> &RunOrder;

    /// Makes one run.
    ///
    /// # Errors
    /// When the host could not carry it out.
    fn run(&self, variation: &Variation) -> Result<Finished, HarnessError>;
}

impl Runner for VariedRuns {
    fn order(&self) -> &RunOrder {
        self.order()
    }

    fn run(&self, variation: &Variation) -> Result<Finished, HarnessError> {
        self.run(variation)
    }
}

/// How a campaign is carried out.
pub struct Conduct<'a> {
    /// The test.
    pub runs: &'a dyn Runner,
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
    /// Keeps a run that has ended; `tally` does not have it yet.
    ///
    /// # Errors
    /// When its result cannot be kept: that ends the campaign.
    fn keep(&mut self, outcome: &mut Outcome, finished: &Finished, tally: &Tally) -> Result<(), FolderError>;

    /// SIGINT or SIGTERM has come, and no further run begins.
    fn interrupted(&mut self);

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
    number: u64,
    made: Result<(Outcome, Finished), HarnessError>,
}

/// A campaign while it is carried out.
struct Course {
    queue: Arc<Queue>,
    tally: Tally,
    new_runs: u64,
    end: End,
    trouble: Option<CampaignError>,
}

impl Course {
    fn new(limit: Limit, earlier: &[Outcome]) -> Self {
        let mut tally = Tally::default();
        earlier.iter().for_each(|outcome| tally.add(outcome));
        let queue = Arc::new(Queue::new(limit, earlier));
        Self { queue, tally, new_runs: 0, end: End::Complete, trouble: None }
    }

    fn end_with(&mut self, end: End) {
        self.end = end;
        self.queue.close();
    }

    /// Takes a run in and says whether it failed.
    fn take(&mut self, message: Message, watcher: &mut dyn Watcher) -> bool {
        let (mut outcome, finished) = match message.made {
            Ok(made) => made,
            Err(why) => {
                self.trouble.get_or_insert(CampaignError::host(message.number, why));
                return false;
            }
        };
        if let Err(error) = watcher.keep(&mut outcome, &finished, &self.tally) {
            self.queue.close();
            self.trouble.get_or_insert(error.into());
            return false;
        }
        self.new_runs += 1;
        self.tally.add(&outcome);
        outcome.failed()
    }
}

impl Conduct<'_> {
    /// The plain run: the test as it is.
    ///
    /// # Errors
    /// When the host could not carry it out.
    pub fn plain_run(&self) -> Result<(Outcome, Finished, Ground), CampaignError> {
        let order = self.runs.order();
        let (cpus, duration_ns) = (order.topology.cpus(), order.duration_ns);
        let made = self.make(0, &Variation::default());
        let (outcome, finished) = made.map_err(|why| CampaignError::host(0, why))?;
        let ground = match report_of(&finished) {
            Some(report) => Ground::of_report(cpus, duration_ns, report),
            None => Ground::without_report(cpus, duration_ns),
        };
        Ok((outcome, finished, ground))
    }

    /// Makes the runs that are not among the `earlier` ones.
    ///
    /// # Errors
    /// When `watcher` cannot keep a result, or the host cannot carry a run out. Runs under way are kept all the same.
    pub fn carry_out(
        &self,
        ground: &Ground,
        earlier: &[Outcome],
        watcher: &mut dyn Watcher,
    ) -> Result<Done, CampaignError> {
        let began = Instant::now();
        let mut course = Course::new(self.limit, earlier);
        if self.stop_on_failure && course.tally.failures() > 0 {
            course.end_with(End::Failure);
        }
        let (sender, inbox) = channel();
        std::thread::scope(|scope| {
            // Nothing begins that a signal has forbidden before.
            let jobs = if interrupt::came() { 0 } else { self.jobs };
            for _ in 0..jobs {
                let (sender, queue) = (sender.clone(), course.queue.clone());
                scope.spawn(move || self.make_runs(&queue, ground, &sender));
            }
            drop(sender);
            loop {
                if interrupt::came() && course.end != End::Interrupted {
                    course.end_with(End::Interrupted);
                    watcher.interrupted();
                }
                watcher.look(&course.tally, began.elapsed(), course.new_runs);
                match inbox.recv_timeout(LOOK) {
                    Ok(message) => {
                        let failed = course.take(message, watcher);
                        if failed && self.stop_on_failure && course.end == End::Complete {
                            course.end_with(End::Failure);
                        }
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
        });
        let Course { tally, new_runs, end, trouble, .. } = course;
        trouble.map_or(Ok(Done { tally, new_runs, wall: began.elapsed(), end }), Err)
    }

    fn make_runs(&self, queue: &Queue, ground: &Ground, sender: &Sender<Message>) {
        while let Some(number) = queue.next() {
            let Some(variation) = self.strategy.variation(number, ground) else { return };
            let made = self.make(number, &variation);
            // Here and not when it is told: no run shall begin in between.
            if self.is_last(&made) {
                queue.close();
            }
            if sender.send(Message { number, made }).is_err() {
                return;
            }
        }
    }

    fn is_last(&self, made: &Result<(Outcome, Finished), HarnessError>) -> bool {
        made.as_ref().map_or(true, |(outcome, _)| outcome.failed() && self.stop_on_failure)
    }

    fn make(&self, number: u64, variation: &Variation) -> Result<(Outcome, Finished), HarnessError> {
        let began = Instant::now();
        let finished = self.runs.run(variation)?;
        Ok((outcome(number, &finished, variation, began.elapsed()), finished))
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

#[cfg(test)]
mod tests;
