//! `cargo ktstr stats show`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Result;
use ktstr_kernel::format_age;
use ktstr_model::{SchedulerLaunch, format_ns};
use ktstr_results::{Phases, Plan, Record, WorkerFigures};
use serde::Serialize;

use super::table::{lines, table, with_unit};
use super::{print, print_json};

/// Show one record, or the cells of one folder of runs
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo ktstr stats show 7.3.4-abc1234\n  \
                  cargo ktstr stats show target/ktstr/7.3.4-abc1234/steady-1795612581414-11987.json")]
pub struct Args {
    /// A record's file, or the name of a folder of runs, the beginning of it or its path
    #[arg(value_name = "RUN|FILE")]
    pub run: PathBuf,
}

/// Prints the record at `path`.
pub fn record(path: &Path, json: bool) -> Result<ExitCode> {
    let record = Record::read(path)?;
    if json {
        print_json(&record)?;
    } else {
        print(&text(&record, path))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(record: &Record, path: &Path) -> String {
    let mut text = format!("{}: {}\n", record.verdict.to_string().to_uppercase(), record.test);
    record.headline.lines().for_each(|line| text += &format!("  {line}\n"));
    for (name, value) in facts(record) {
        let _ = writeln!(text, "  {name:<11} {value}");
    }
    let violations = record.details.iter().flat_map(|detail| detail.message.lines());
    section(&mut text, "violations", violations.map(str::to_owned));
    section(&mut text, "notes", record.notes.iter().cloned());
    section(
        &mut text,
        "the scenario",
        record.stimuli.iter().map(|stimulus| {
            let began = record.stimuli.first().map_or(0, |first| first.began_ns);
            let at = format_ns(stimulus.began_ns.saturating_sub(began));
            format!("at {at}, {}: {}", stimulus.place, stimulus.what)
        }),
    );
    if !record.figures.is_empty() {
        let mut figures = table(&["FIGURE", "VALUE"], 1);
        for figure in &record.figures {
            figures.add_row([figure.name.clone(), with_unit(figure.value, &figure.unit)]);
        }
        text += &lines(&figures);
    }
    if !record.workers.is_empty() {
        text += &workers(&record.workers);
    }
    let beside = path.with_extension("");
    if beside.is_dir() {
        let _ = writeln!(text, "  the guest's report and logs: {}", beside.display());
    }
    text
}

fn facts(record: &Record) -> Vec<(&'static str, String)> {
    let mut facts = vec![("cause", word(&record.cause)), ("scheduler", record.scheduler.clone())];
    facts.extend(record.topology.map(|topology| ("topology", topology.to_string())));
    facts.extend(record.kernel.as_ref().map(|kernel| ("kernel", kernel.release.clone())));
    let why = if record.mode_why.is_empty() { String::new() } else { format!(" ({})", record.mode_why) };
    facts.extend(record.mode.map(|mode| ("mode", format!("{mode}{why}"))));
    facts.push(("seed", record.seed.to_string()));
    facts.extend(record.digest.map(|digest| ("digest", digest.to_string())));
    facts.push(("commit", record.commit.to_string()));
    let began = UNIX_EPOCH + Duration::from_millis(record.began_unix_ms);
    facts.push(("age", format_age(began.elapsed().unwrap_or_default())));
    let host = &record.host;
    let qemu = if record.qemu.is_empty() { String::new() } else { format!(", QEMU {}", record.qemu) };
    facts.push((
        "host",
        format!(
            "{}, {} CPUs, {} MiB, kernel {}{qemu}",
            host.cpu_model, host.cpus, host.memory_mb, host.kernel
        ),
    ));
    facts.extend(record.plan.iter().flat_map(plan));
    facts.push(("phases", phases(&record.phases)));
    facts
}

fn plan(plan: &Plan) -> Vec<(&'static str, String)> {
    let order = &plan.order;
    let mut facts = vec![(
        "plan",
        format!("{} of workload, {} MiB of memory", format_ns(order.duration_ns), plan.memory_mb),
    )];
    if let Some(scheduler) = &order.scheduler {
        let started = match &scheduler.launch {
            SchedulerLaunch::Program { path, args } => format!("{path} {}", args.join(" ")),
            SchedulerLaunch::Builtin { enable, .. } => enable.join("; "),
        };
        facts.push(("started as", started.trim_end().to_owned()));
    }
    let sysctls: Vec<String> = order.sysctls.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    facts.extend((!sysctls.is_empty()).then(|| ("sysctls", sysctls.join(", "))));
    facts.extend((!plan.kargs.is_empty()).then(|| ("kargs", plan.kargs.join(" "))));
    facts.push(("thresholds", fields(&order.assert)));
    facts
}

/// The fields that are set, as `name = value`.
fn fields(value: &impl Serialize) -> String {
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(value) else { return String::new() };
    let set = fields.iter().filter(|(_, value)| !value.is_null());
    set.map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
}

fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn phases(phases: &Phases) -> String {
    let all = [
        ("resolve", phases.resolve_ms),
        ("pack", phases.pack_ms),
        ("template", phases.template_ms),
        ("load", phases.load_ms),
        ("clone", phases.clone_ms),
        ("run", phases.run_ms),
        ("collect", phases.collect_ms),
    ];
    let took = all.iter().filter(|(_, ms)| *ms > 0.0);
    took.map(|(name, ms)| format!("{name} {ms:.0} ms")).collect::<Vec<_>>().join(", ")
}

fn workers(workers: &[WorkerFigures]) -> String {
    let header = ["CGROUP", "WORKER", "WORK", "UNITS", "CPU TIME", "OFF CPU", "MIGRATIONS", "LONGEST GAP"];
    let mut table = table(&header, 1);
    for worker in workers {
        table.add_row([
            worker.cgroup.clone(),
            worker.index.to_string(),
            worker.work.clone(),
            worker.work_units.to_string(),
            format_ns(worker.cpu_ns),
            format!("{:.1} %", worker.off_cpu_pct),
            worker.migrations.to_string(),
            format_ns(worker.max_gap.ns),
        ]);
    }
    lines(&table)
}

fn section(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let lines: String = lines.map(|line| format!("    {line}\n")).collect();
    if !lines.is_empty() {
        *text += &format!("  {title}:\n{lines}");
    }
}
