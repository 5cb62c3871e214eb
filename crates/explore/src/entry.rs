//! What a test binary does that is asked to explore.

use std::collections::BTreeMap;
use std::env;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::time::Duration;

use ktstr_guest::TestEntry;
use ktstr_harness::{Declared, Finished, HarnessError, Settings, VariedRuns};
use ktstr_model::{Digest, Mode, ModeChoice, TestSpec, Topology, TopologyError, Verdict};
use ktstr_results::replay::Replayed;

use crate::campaign::{CampaignError, Conduct, End, Watcher};
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
    #[error("`{name}` is no #[ktstr_test], and nothing else can be explored; this test binary has {there}")]
    NoTest { name: String, there: String },
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
    #[error("`{test}` skips itself, so there is nothing to explore: {why}")]
    Skips { test: String, why: String },
    #[error(
        "the plain run of the campaign in {} had digest {then} and has {now} now, though nothing differs that is known to matter: its runs cannot be compared; begin a new campaign with --campaign, and see `cargo ktstr test --check-determinism`",
        folder.display()
    )]
    PlainDiffers { folder: PathBuf, then: Digest, now: Digest },
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Campaign(#[from] CampaignError),
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
    let settings = Settings::of_this_process()?;
    let seed = request.seed.unwrap_or_else(|| settings.seed_of(&entry.spec));
    let settings = Settings { mode: ModeChoice::Deterministic, seed, topology, ..settings };
    let entry = TestEntry { spec: TestSpec { seed: None, ..entry.spec }, ..entry };
    let runs = VariedRuns::new(entry, &settings, request.duration)?;
    if runs.mode() != Mode::Deterministic {
        return Err(Refusal::RealTime(request.test.clone()));
    }
    interrupt::watch();
    let [machine, files] = runs.identity();
    let parameters = Parameters {
        ktstr: env!("CARGO_PKG_VERSION").to_owned(),
        strategy: request.strategy,
        seed,
        machine,
        files,
        order: runs.order().clone(),
    };
    let records = settings.records.root();
    let default = || records.join("explore").join(parameters.folder_name());
    let path = request.folder.clone().unwrap_or_else(default);
    match request.again {
        Some(again) => make_again(request, &runs, CampaignFolder::open_existing(&path, &parameters)?, again),
        None => {
            let folder = CampaignFolder::open(&path, &parameters)?;
            let tokens = (!path.starts_with(records)).then(|| folder.failures());
            campaign(request, &runs, seed, folder, tokens)
        }
    }
}

/// The declared test.
fn entry_of(request: &Request, declared: &Declared) -> Result<TestEntry, Refusal> {
    let name = request.test.clone();
    let named = |entry: &&TestEntry| entry.spec.path() == name;
    let Some(&entry) = declared.tests.iter().find(named) else {
        let mut there: Vec<String> = declared.tests.iter().map(|entry| entry.spec.path()).collect();
        there.sort();
        return Err(Refusal::NoTest { name, there: there.join(", ") });
    };
    if entry.spec.host_only {
        return Err(Refusal::OnHost(name));
    }
    if entry.spec.mode == ModeChoice::RealTime {
        return Err(Refusal::RealTime(name));
    }
    Ok(entry)
}

fn campaign(
    request: &Request,
    runs: &VariedRuns,
    seed: u64,
    mut folder: CampaignFolder,
    tokens: Option<PathBuf>,
) -> Result<i32, Refusal> {
    let strategy = request.strategy.strategy(seed);
    let mut earlier = folder.take_earlier();
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
    let mut keeper = Keeper { runs, folder, live: (!request.json).then(Live::new) };
    // Made again each time, because variations are aimed by it; it takes as long as one run.
    let (mut plain, finished, ground) = conduct.plain_run()?;
    if plain.verdict == Verdict::Skip {
        return Err(Refusal::Skips { test: request.test.clone(), why: finished.judgement.headline });
    }
    if let Some(trouble) = request.strategy.trouble(&ground) {
        return Err(Refusal::Strategy(trouble));
    }
    if plain.failed() {
        keeper.say(&format!("ktstr: the plain run, without a variation, does not pass: {}", plain.headline));
    }
    match earlier.iter().find(|outcome| outcome.number == 0) {
        Some(then) => same_plain_run(then, &plain, keeper.folder.path())?,
        None => {
            keeper.keep(&mut plain, &finished, &Tally::default())?;
            earlier.push(plain);
        }
    }
    let done = conduct.carry_out(&ground, &earlier, &mut keeper);
    keeper.live.iter().for_each(Live::end);
    let done = done?;
    let code = match done.end {
        End::Interrupted => INTERRUPTED,
        _ if done.tally.failures() > 0 => FOUND,
        _ => 0,
    };
    let folder = keeper.folder.path().to_owned();
    let summary = Summary::new(request, &done, folder, tokens);
    println!("{}", if request.json { summary.json() } else { summary.text() });
    Ok(code)
}

/// That the campaign's runs still belong together: their variations were aimed by the plain run.
fn same_plain_run(then: &Outcome, now: &Outcome, folder: &Path) -> Result<(), Refusal> {
    match (then.digest, now.digest) {
        (Some(then), Some(now)) if then != now => {
            Err(Refusal::PlainDiffers { folder: folder.to_owned(), then, now })
        }
        _ => Ok(()),
    }
}

/// Keeps results and shows how the campaign comes on.
struct Keeper<'a> {
    runs: &'a VariedRuns,
    folder: CampaignFolder,
    live: Option<Live>,
}

impl Keeper<'_> {
    fn say(&mut self, text: &str) {
        match &mut self.live {
            Some(live) => live.say(text),
            None => eprintln!("{text}"),
        }
    }
}

impl Watcher for Keeper<'_> {
    fn keep(&mut self, outcome: &mut Outcome, finished: &Finished, tally: &Tally) -> Result<(), FolderError> {
        if let Some(signature) = &outcome.signature {
            let failures = self.folder.failures();
            // Before the line that counts the run as made, and without its token when there is nothing to replay.
            if !tally.wants(signature, outcome.number, RECORDS) {
                outcome.token = None;
            } else if let Err(error) = self.runs.keep(finished, &failures) {
                outcome.token = None;
                self.say(&format!("ktstr: no record was kept: {}: {error}", failures.display()));
            }
        }
        self.folder.keep(outcome)
    }

    fn look(&mut self, tally: &Tally, time: Duration, new_runs: u64) {
        self.live.iter_mut().for_each(|live| live.tell(tally, time, new_runs));
    }

    fn interrupted(&mut self) {
        self.say("ktstr: ends when the runs under way have ended; Ctrl-C again ends them at once");
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
    let mut comparison = Comparison { original, counts: BTreeMap::new() };
    let done = conduct.carry_out(&ground, &[], &mut comparison)?;
    let counts = comparison.counts;
    let words: Vec<String> = counts.iter().map(|(replayed, count)| format!("{count} {replayed}")).collect();
    println!(
        "{}: run {} made {} times: {}\n  {}",
        request.test,
        again.run,
        done.new_runs,
        words.join(", "),
        original.headline
    );
    let worst = counts.keys().last().copied().unwrap_or(Replayed::NotReproduced);
    Ok(if done.end == End::Interrupted { INTERRUPTED } else { worst.exit_code().into() })
}

struct Comparison<'a> {
    original: &'a Outcome,
    counts: BTreeMap<Replayed, u64>,
}

impl Watcher for Comparison<'_> {
    fn keep(&mut self, outcome: &mut Outcome, _: &Finished, _: &Tally) -> Result<(), FolderError> {
        let replayed = match outcome.signature == self.original.signature {
            true if outcome.digest == self.original.digest => Replayed::Reproduced,
            true => Replayed::OtherSchedule,
            false => Replayed::NotReproduced,
        };
        *self.counts.entry(replayed).or_default() += 1;
        Ok(())
    }

    fn look(&mut self, _: &Tally, _: Duration, _: u64) {}

    fn interrupted(&mut self) {}
}
