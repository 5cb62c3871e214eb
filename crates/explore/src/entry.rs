//! What a test binary does that is asked to explore.

use std::env;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::exit;
use std::time::Duration;

use ktstr_guest::TestEntry;
use ktstr_harness::{Declared, Finished, HarnessError, Settings, VariedRuns};
use ktstr_model::{Mode, ModeChoice, TestSpec, Topology, TopologyError};

use crate::campaign::{Conduct, End, Watcher};
use crate::folder::{CampaignFolder, FolderError, Parameters};
use crate::ground::Ground;
use crate::groups::Tally;
use crate::interrupt;
use crate::live::Live;
use crate::outcome::Outcome;
use crate::request::{Again, Limit, REQUEST_ARGUMENT, Request};
use crate::strategy;
use crate::summary::Summary;

/// Records kept of failures of one signature, the first ones to end.
const RECORDS: u64 = 3;
/// Something failed, as nextest says it.
const FOUND: i32 = 100;
/// The campaign could not be carried out.
const REFUSED: i32 = 1;
/// As a shell says that SIGINT ended a program.
const INTERRUPTED: i32 = 130;

/// Why a campaign cannot be carried out.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{REQUEST_ARGUMENT}: {0}; `cargo ktstr explore` of another version started this test binary")]
    Request(serde_json::Error),
    #[error("this test binary has no test `{0}`")]
    NoTest(String),
    #[error("`{0}` runs on the host (host_only), and there is no machine whose schedule could be explored")]
    OnHost(String),
    #[error(
        "`{0}` wants real time (mode = real_time), where no run can be made again: exploring needs deterministic mode"
    )]
    RealTime(String),
    #[error("--topology: {0}")]
    Topology(#[from] TopologyError),
    #[error("{0}")]
    Strategy(&'static str),
    #[error("--campaign: {0}")]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Harness(#[from] HarnessError),
    #[error("run {run} is none of the failures in {}: {}", folder.display(), known(.failed))]
    NoSuchRun { run: u64, folder: PathBuf, failed: Vec<u64> },
}

fn known(failed: &[u64]) -> String {
    match failed {
        [] => "it has none".to_owned(),
        runs => format!("those are runs {}", runs.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// Carries out the campaign that the command line asks for, and ends the process; otherwise does nothing.
///
/// May be called before `main`, from a constructor: nothing unwinds out of it.
pub fn process_entry(declared: &Declared) {
    let mut arguments = env::args_os().skip(1);
    let (Some(first), Some(request)) = (arguments.next(), arguments.next()) else { return };
    if first != REQUEST_ARGUMENT {
        return;
    }
    ktstr_guest::as_after_main_began();
    ktstr_vm::end_with_parent();
    let request = serde_json::from_str(&request.to_string_lossy()).map_err(Refusal::Request);
    let code = request.and_then(|request| explore(&request, declared)).unwrap_or_else(|refusal| {
        eprintln!("error: {refusal}");
        REFUSED
    });
    exit(code);
}

fn explore(request: &Request, declared: &Declared) -> Result<i32, Refusal> {
    let entry = entry_of(request, declared)?;
    let topology = request.topology.as_deref().map(str::parse::<Topology>).transpose()?;
    let settings = Settings {
        mode: ModeChoice::Deterministic,
        seed: request.seed,
        topology,
        ..Settings::of_this_process()?
    };
    let runs = VariedRuns::new(entry, &settings, request.duration)?;
    if runs.mode() != Mode::Deterministic {
        return Err(Refusal::RealTime(request.test.clone()));
    }
    interrupt::watch();
    let [machine, files] = runs.identity();
    let parameters = Parameters {
        ktstr: env!("CARGO_PKG_VERSION").to_owned(),
        strategy: request.strategy,
        seed: request.seed,
        machine,
        files,
        order: runs.order().clone(),
    };
    let default = || settings.records.root().join("explore").join(parameters.folder_name());
    let path = request.folder.clone().unwrap_or_else(default);
    let folder = CampaignFolder::open(&path, &parameters)?;
    match request.again {
        Some(again) => make_again(request, &runs, folder, again),
        None => campaign(request, &runs, folder),
    }
}

/// The declared test, without a seed of its own.
fn entry_of(request: &Request, declared: &Declared) -> Result<TestEntry, Refusal> {
    let name = request.test.clone();
    let named = |entry: &&TestEntry| entry.spec.path() == name;
    let Some(&entry) = declared.tests.iter().find(named) else { return Err(Refusal::NoTest(name)) };
    let spec = TestSpec { seed: None, ..entry.spec };
    if spec.host_only {
        return Err(Refusal::OnHost(name));
    }
    if spec.mode == ModeChoice::RealTime {
        return Err(Refusal::RealTime(name));
    }
    Ok(TestEntry { spec, ..entry })
}

fn campaign(request: &Request, runs: &VariedRuns, mut folder: CampaignFolder) -> Result<i32, Refusal> {
    let strategy = request.strategy.strategy(request.seed);
    let earlier = folder.take_earlier();
    if !request.json && !earlier.is_empty() {
        eprintln!("ktstr: goes on with {}, where {} runs are kept", folder.path().display(), earlier.len());
    }
    let conduct = Conduct {
        runs,
        strategy: strategy.as_ref(),
        limit: request.limit,
        jobs: jobs(request),
        stop_on_failure: request.stop_on_failure,
    };
    // Made again each time, because variations are aimed by it; it takes as long as one run.
    let (plain, ground) = conduct.plain_run();
    let trouble = request.strategy.trouble(&ground);
    if let Some(trouble) = trouble {
        return Err(Refusal::Strategy(trouble));
    }
    if plain.failed() {
        eprintln!("ktstr: the plain run, without a variation, does not pass: {}", plain.headline);
    }
    let mut earlier = earlier;
    if earlier.iter().all(|outcome| outcome.number != 0) {
        folder.keep(&plain)?;
        earlier.push(plain);
    }
    let mut keeper = Keeper { runs, folder, live: (!request.json).then(Live::new) };
    let done = conduct.carry_out(&ground, &earlier, &mut keeper)?;
    keeper.live.iter().for_each(Live::end);
    let code = match done.end {
        End::Interrupted => INTERRUPTED,
        _ if done.tally.failures() > 0 => FOUND,
        _ => 0,
    };
    let folder = keeper.folder.path().to_owned();
    let summary = Summary::new(request.test.clone(), request.strategy.to_string(), &done, folder);
    println!("{}", if request.json { summary.json() } else { summary.text() });
    Ok(code)
}

/// Keeps results and shows how the campaign comes on.
struct Keeper<'a> {
    runs: &'a VariedRuns,
    folder: CampaignFolder,
    live: Option<Live>,
}

impl Watcher for Keeper<'_> {
    fn run_ended(
        &mut self,
        outcome: &Outcome,
        finished: &Finished,
        tally: &Tally,
    ) -> Result<(), FolderError> {
        self.folder.keep(outcome)?;
        let failures = self.folder.failures();
        if let Some(signature) = &outcome.signature
            && (tally.failures_of(signature) <= RECORDS || tally.is_representative(signature, outcome.number))
            && let Err(error) = self.runs.keep(finished, &failures)
        {
            eprintln!("ktstr: no record was kept: {}: {error}", failures.display());
        }
        Ok(())
    }

    fn look(&mut self, tally: &Tally, time: Duration, new_runs: u64) {
        self.live.iter_mut().for_each(|live| live.tell(tally, time, new_runs));
    }
}

/// Machines at once: no more than the host has CPUs, each of which one machine keeps busy.
fn jobs(request: &Request) -> usize {
    let cpus = std::thread::available_parallelism().map_or(1, NonZero::get);
    match request.jobs {
        Some(jobs) if jobs > cpus => {
            eprintln!(
                "ktstr: {jobs} jobs were asked for; this host has {cpus} CPUs, so {cpus} machines run at once"
            );
            cpus
        }
        jobs => jobs.unwrap_or(cpus),
    }
}

/// The same run again and again: how often it ends in the same way, and how often with the same digest.
fn make_again(
    request: &Request,
    runs: &VariedRuns,
    mut folder: CampaignFolder,
    again: Again,
) -> Result<i32, Refusal> {
    let failed: Vec<Outcome> = folder.take_earlier().into_iter().filter(Outcome::failed).collect();
    let Some(original) = failed.iter().find(|outcome| outcome.number == again.run) else {
        let failed = failed.iter().map(|outcome| outcome.number).collect();
        return Err(Refusal::NoSuchRun { run: again.run, folder: folder.path().to_owned(), failed });
    };
    let replay = strategy::replay(original.variation.clone().unwrap_or_default(), again.times);
    let conduct = Conduct {
        runs,
        strategy: replay.as_ref(),
        limit: Limit::Runs(again.times),
        jobs: jobs(request),
        stop_on_failure: false,
    };
    let order = runs.order();
    let ground = Ground::without_report(order.topology.cpus(), order.duration_ns);
    let mut comparison = Comparison { original, same_failure: 0, same_digest: 0 };
    let done = conduct.carry_out(&ground, &[], &mut comparison)?;
    let Comparison { same_failure, same_digest, .. } = comparison;
    println!(
        "{}: run {} made {} times: {same_failure} failed in the same way, {same_digest} with the same digest\n  {}",
        request.test, again.run, done.new_runs, original.headline
    );
    Ok(match done.end {
        End::Interrupted => INTERRUPTED,
        _ if same_digest == done.new_runs => 0,
        _ => FOUND,
    })
}

struct Comparison<'a> {
    original: &'a Outcome,
    same_failure: u64,
    same_digest: u64,
}

impl Watcher for Comparison<'_> {
    fn run_ended(&mut self, outcome: &Outcome, _: &Finished, _: &Tally) -> Result<(), FolderError> {
        self.same_failure += u64::from(outcome.signature == self.original.signature);
        self.same_digest += u64::from(outcome.digest == self.original.digest);
        Ok(())
    }

    fn look(&mut self, _: &Tally, _: Duration, _: u64) {}
}
