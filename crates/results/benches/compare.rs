//! How long it takes to compare ten thousand records, and how much memory: `cargo bench -p ktstr-results`.
//!
//! Records of 100 tests with 50 seeds at two commits are written into a temporary folder. A process of its own then reads and
//! compares them, as `cargo ktstr stats compare` does.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use ktstr_model::{Cause, Mode, Schedstat, TimeSample, Topology, WorkerReport};
use ktstr_results::compare::{Question, Thresholds, compare};
use ktstr_results::{
    Dimension, Evidence, Figure, Record, RecordFolder, RecordKernel, Samples, WorkerFigures,
};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The argument with which this program compares what is in a folder.
const COMPARE: &str = "--compare";
const COMMITS: [&str; 2] = ["abc1234", "def5678"];
const TESTS: u64 = 100;
const SEEDS: u64 = 50;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, folder] = &arguments[..]
        && first == COMPARE
    {
        return measure(Path::new(folder));
    }
    let is_json = arguments.iter().any(|argument| argument == "--json");
    let folder = tempfile::tempdir()?;
    write_all(folder.path())?;
    let output = Command::new(std::env::current_exe()?).arg(COMPARE).arg(folder.path()).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let measured = String::from_utf8(output.stdout)?;
    let values: Vec<f64> =
        measured.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?;
    let [seconds, mib, read_seconds] = values[..] else { return Err(measured.into()) };
    for (name, value, unit, baseline) in [
        ("compare_10000_records", seconds, "s", 2.0),
        ("compare_10000_memory", mib, "MiB", 200.0),
        ("read_10000_records", read_seconds, "s", seconds),
    ] {
        let ratio = value / baseline;
        if is_json {
            let line = serde_json::json!({
                "name": name, "value": value, "unit": unit, "baseline": baseline, "ratio": ratio,
            });
            println!("{line}");
        } else {
            println!("{name:24} {value:12.2} {unit:10} baseline {baseline:12.2}   ratio {ratio:8.3}");
        }
    }
    Ok(())
}

fn write_all(folder: &Path) -> Result<()> {
    let below = RecordFolder::Below(folder.to_owned());
    let mut random = fastrand::Rng::with_seed(1);
    for commit in COMMITS {
        for test in 0..TESTS {
            for seed in 0..SEEDS {
                let record = record(&mut random, commit, test, seed);
                record.write(&below.of(&record), Evidence::default())?;
            }
        }
    }
    Ok(())
}

fn record(random: &mut fastrand::Rng, commit: &str, test: u64, seed: u64) -> Record {
    let mut record = Record::begun(format!("module::test_{test}"), "my_sched", seed);
    let release = "7.3.4+deb13-cloud-amd64".to_owned();
    record.kernel = Some(RecordKernel { release, image: "/cache/image".into(), sha256: "0".repeat(64) });
    record.commit = commit.to_owned().into();
    record.topology = Some(Topology::of(1, 2, 4, 1));
    record.mode = Some(Mode::Deterministic);
    (record.cause, record.verdict) = (Cause::ChecksHeld, Cause::ChecksHeld.verdict());
    record.workers = (0..8).map(|index| WorkerFigures::from(&worker(random, index))).collect();
    record.figures = Figure::of_run(&record.workers, None);
    record
}

fn worker(random: &mut fastrand::Rng, index: u32) -> WorkerReport {
    const SECOND: u64 = 1_000_000_000;
    let kept_ns: Vec<u64> = (0..100).map(|_| random.u64(2_000_000..9_000_000)).collect();
    let sum_ns: u64 = kept_ns.iter().sum();
    let times = TimeSample { count: 100, sum_ns, max_ns: 9_000_000, kept_ns, ..TimeSample::default() };
    WorkerReport {
        cgroup: format!("cell_{}", index / 4),
        index: index % 4,
        work: "SpinWait".into(),
        work_units: random.u64(4000..4500),
        iterations: random.u64(16_000_000..17_000_000),
        cpu_ns: random.u64(11 * SECOND..12 * SECOND),
        wall_ns: 12 * SECOND,
        migrations: random.u64(50..100),
        wake_latencies: times.clone(),
        iteration_costs: times,
        schedstat: Some(Schedstat { run_delay_ns: random.u64(0..SECOND), ..Schedstat::default() }),
        ..WorkerReport::default()
    }
}

/// Compares, and prints seconds, MiB of memory at most, and seconds of reading alone.
fn measure(folder: &Path) -> Result<()> {
    let began = Instant::now();
    let place = RecordFolder::Below(folder.to_owned());
    let mut samples = Samples::default();
    for run in place.runs()? {
        samples.extend(run.samples()?);
    }
    let read = began.elapsed();
    let question = Question {
        by: Dimension::Commit,
        a: COMMITS[0].to_owned(),
        b: COMMITS[1].to_owned(),
        ignored: Vec::new(),
        thresholds: Thresholds::default(),
    };
    let comparison = compare(&samples.read, &question)?;
    let took = began.elapsed();
    if (samples.read.len(), samples.bad.len(), comparison.cells.len()) != (10_000, 0, 100) {
        return Err(format!("{} of 10000 records were read", samples.read.len()).into());
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: f64 = peak.and_then(|peak| peak.split_whitespace().next()).ok_or("no VmHWM")?.parse()?;
    println!("{} {} {}", took.as_secs_f64(), kib / 1024.0, read.as_secs_f64());
    Ok(())
}
