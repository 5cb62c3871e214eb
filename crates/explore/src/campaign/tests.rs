use std::sync::Mutex;

use ktstr_harness::Judgement;
use ktstr_model::{Cause, Digest, Mode, Topology};
use ktstr_results::Record;

use super::*;
use crate::strategy::StrategyName;

/// The campaign's seed: run `number` has the seed 100 + `number`.
const SEED: u64 = 100;

/// A test that ends as its seed says, without a machine.
struct Fake {
    order: RunOrder,
    failing: &'static [u64],
    /// Runs that the host cannot carry out.
    impossible: &'static [u64],
    made: Mutex<Vec<u64>>,
}

impl Runner for Fake {
    fn order(&self) -> &RunOrder {
        &self.order
    }

    fn run(&self, variation: &Variation) -> Result<Finished, HarnessError> {
        let seed = variation.seed.unwrap_or(SEED);
        let number = seed - SEED;
        if self.impossible.contains(&number) {
            return Err(HarnessError::Config("no space left".to_owned()));
        }
        self.made.lock().unwrap().push(number);
        let cause = if self.failing.contains(&number) { Cause::SchedulerDied } else { Cause::ChecksHeld };
        let judgement = Judgement::new(cause, "how it ended");
        let record = Record {
            cause,
            verdict: cause.verdict(),
            digest: Some(Digest::of(&number.to_le_bytes())),
            ..Record::begun("t".to_owned(), "s", seed)
        };
        Ok(Finished { record, judgement, evidence: None })
    }
}

/// Keeps what it is told, as long as there is room.
struct Kept {
    outcomes: Vec<Outcome>,
    room: usize,
}

impl Watcher for Kept {
    fn keep(&mut self, outcome: &mut Outcome, _: &Finished, _: &Tally) -> Result<(), FolderError> {
        if self.outcomes.len() == self.room {
            return Err(FolderError::InUse("/full".into()));
        }
        self.outcomes.push(outcome.clone());
        Ok(())
    }

    fn interrupted(&mut self) {}

    fn look(&mut self, _: &Tally, _: Duration, _: u64) {}
}

struct Campaign {
    failing: &'static [u64],
    impossible: &'static [u64],
    jobs: usize,
    stop_on_failure: bool,
    room: usize,
}

const PLAIN: Campaign =
    Campaign { failing: &[], impossible: &[], jobs: 1, stop_on_failure: false, room: usize::MAX };

impl Campaign {
    /// Ten runs less the `earlier` ones: how it ended, what was kept, and what was run.
    fn carried_out(&self, earlier: &[Outcome]) -> (Result<Done, CampaignError>, Vec<Outcome>, Vec<u64>) {
        let Self { failing, impossible, jobs, stop_on_failure, room } = *self;
        let order = RunOrder::plain("t", Topology::of(1, 1, 4, 1), Mode::Deterministic);
        let fake = Fake { order, failing, impossible, made: Mutex::default() };
        let strategy = StrategyName::Seeds.strategy(SEED);
        let conduct = Conduct {
            runs: &fake,
            strategy: strategy.as_ref(),
            limit: Limit::Runs(10),
            jobs,
            stop_on_failure,
        };
        let mut kept = Kept { outcomes: Vec::new(), room };
        let done = conduct.carry_out(&Ground::without_report(4, 1), earlier, &mut kept);
        let mut made = fake.made.into_inner().unwrap();
        made.sort_unstable();
        kept.outcomes.sort_by_key(|outcome| outcome.number);
        (done, kept.outcomes, made)
    }
}

fn numbers(outcomes: &[Outcome]) -> Vec<u64> {
    outcomes.iter().map(|outcome| outcome.number).collect()
}

#[test]
fn each_run_is_made_once_by_however_many_jobs_and_after_a_break() {
    let campaign = Campaign { failing: &[3, 7], ..PLAIN };
    let (done, whole, made) = campaign.carried_out(&[]);
    let done = done.unwrap();
    assert_eq!((done.end, done.new_runs, done.tally.failures()), (End::Complete, 10, 2));
    assert_eq!(made, (1..=10).collect::<Vec<_>>());
    assert_eq!(numbers(&whole), made);

    let (done, _, made) = Campaign { jobs: 4, ..campaign }.carried_out(&whole[..6]);
    let done = done.unwrap();
    assert_eq!(made, [7, 8, 9, 10]);
    assert_eq!((done.new_runs, done.tally.runs(), done.tally.failures()), (4, 10, 2));
}

#[test]
fn the_first_failure_ends_it_when_that_is_asked_for() {
    let campaign = Campaign { failing: &[3, 7], stop_on_failure: true, ..PLAIN };
    let (done, kept, made) = campaign.carried_out(&[]);
    assert_eq!(done.unwrap().end, End::Failure);
    assert_eq!(made, [1, 2, 3]);
    let (done, _, made) = campaign.carried_out(&kept);
    assert_eq!((done.unwrap().end, made), (End::Failure, vec![]));
}

#[test]
fn what_the_host_cannot_carry_out_ends_it_and_is_no_result() {
    let (done, kept, made) = Campaign { impossible: &[4], ..PLAIN }.carried_out(&[]);
    let error = done.unwrap_err().to_string();
    assert!(error.starts_with("run 4 could not be carried out: no space left\n"), "{error}");
    assert_eq!((made, numbers(&kept)), (vec![1, 2, 3], vec![1, 2, 3]));
    let (done, _, again) = PLAIN.carried_out(&kept);
    assert!(done.is_ok() && again.contains(&4), "{again:?}");
}

#[test]
fn a_result_that_cannot_be_kept_ends_it() {
    let (done, kept, _) = Campaign { room: 2, ..PLAIN }.carried_out(&[]);
    assert!(matches!(done, Err(CampaignError::Folder(FolderError::InUse(_)))), "{done:?}");
    assert_eq!(numbers(&kept), [1, 2]);
}
