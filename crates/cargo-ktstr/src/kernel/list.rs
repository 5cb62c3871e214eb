//! `cargo ktstr kernel list`

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::bail;
use comfy_table::{CellAlignment, Table, presets};
use ktstr_kernel::{Cache, Entry, Environment, KernelSpec, Slot, format_age, offered};
use serde::Serialize;

/// List the cached kernels, newest first
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo ktstr kernel list\n  cargo ktstr kernel list --json\n  \
                  cargo ktstr kernel list --range 6.16..7.0")]
pub struct Args {
    /// Print a JSON array instead of a table
    #[arg(long)]
    json: bool,
    /// Show what a range means: which cached kernels it selects, and which could be fetched
    #[arg(long, value_name = "A..B", conflicts_with = "json")]
    range: Option<KernelSpec>,
    /// With --range: where there is no apt, take the mirror in KTSTR_DEBIAN_MIRROR unverified if nothing can verify it
    #[arg(long, requires = "range")]
    insecure: bool,
}

/// One line of `--json`.
#[derive(Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
enum Row<'a> {
    Ready {
        key: &'a str,
        version: String,
        release: &'a str,
        source: &'static str,
        sched_ext: bool,
        bytes: u64,
        /// Seconds since 1970.
        added_at: u64,
        image: String,
        image_sha256: String,
        /// Built with another configuration than this ktstr would use.
        stale_config: bool,
    },
    Corrupt {
        key: &'a str,
        bytes: u64,
        reason: &'a str,
    },
}

impl<'a> Row<'a> {
    fn of(slot: &'a Slot) -> Self {
        match slot {
            Slot::Ready(entry) => Self::Ready {
                key: entry.key(),
                version: entry.metadata().version.to_string(),
                release: &entry.metadata().release,
                source: entry.metadata().origin.name(),
                sched_ext: entry.metadata().sched_ext,
                bytes: slot.bytes(),
                added_at: entry.metadata().added_at,
                image: entry.image().display().to_string(),
                image_sha256: entry.metadata().image_sha256.to_string(),
                stale_config: entry.is_stale(),
            },
            Slot::Corrupt { key, reason, .. } => Self::Corrupt { key, bytes: slot.bytes(), reason },
        }
    }
}

pub fn run(args: &Args, env: &Environment, cache: &Cache) -> anyhow::Result<()> {
    let slots = cache.list()?;
    if let Some(spec) = &args.range {
        return preview(spec, args.insecure, &slots, env, cache);
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&slots.iter().map(Row::of).collect::<Vec<_>>())?);
    } else if slots.is_empty() {
        println!("no kernels in {}; `cargo ktstr kernel fetch` gets one", cache.root().display());
    } else {
        print_table(&slots);
    }
    Ok(())
}

fn print_table(slots: &[Slot]) {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["KEY", "VERSION", "SOURCE", "SCHED_EXT", "SIZE", "AGE"]);
    for slot in slots {
        let size = format!("{:.1} MB", slot.bytes() as f64 / 1e6);
        match slot {
            Slot::Ready(entry) => {
                let sched_ext = if entry.metadata().sched_ext { "yes" } else { "no" };
                let source =
                    if entry.is_stale() { "built (stale config)" } else { entry.metadata().origin.name() };
                let version = entry.metadata().version.to_string();
                table.add_row([entry.key(), &version, source, sched_ext, &size, &age(entry)]);
            }
            Slot::Corrupt { key, .. } => {
                table.add_row([key.as_str(), "(corrupt)", "", "", &size, ""]);
            }
        }
    }
    if let Some(column) = table.column_mut(4) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{}", table.trim_fmt());
    for slot in slots {
        if let Slot::Corrupt { key, reason, .. } = slot {
            println!("(corrupt) {key}: {reason}");
        }
    }
}

fn age(entry: &Entry) -> String {
    let added = UNIX_EPOCH + Duration::from_secs(entry.metadata().added_at);
    format_age(SystemTime::now().duration_since(added).unwrap_or_default())
}

/// What a range selects here and at the source.
fn preview(
    spec: &KernelSpec,
    insecure: bool,
    slots: &[Slot],
    env: &Environment,
    cache: &Cache,
) -> anyhow::Result<()> {
    let KernelSpec::Range(range) = spec else {
        bail!("`{spec}` is not a range; write A..B, such as 6.16..7.0");
    };
    println!("{range} selects");
    let here = slots.iter().filter_map(Slot::ready).filter(|entry| range.accepts(entry.metadata().version));
    let here: Vec<_> = here.map(Entry::key).collect();
    print_names("cached", &here);
    let source = offered(range, insecure, env, cache)?;
    let missing: Vec<_> =
        source.iter().map(String::as_str).filter(|release| !here.contains(release)).collect();
    print_names("to fetch", &missing);
    Ok(())
}

fn print_names(title: &str, names: &[&str]) {
    println!("  {title}:{}", if names.is_empty() { " none" } else { "" });
    for name in names {
        println!("    {name}");
    }
}
