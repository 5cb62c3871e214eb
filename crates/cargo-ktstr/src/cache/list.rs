//! `cargo ktstr cache list`

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};
use ktstr_kernel::{Cache, Slot, format_age};
use serde::Serialize;

use super::item::{Item, Kind, items};
use crate::size::format_bytes;

/// List what makes later runs quick, with size, age and last use; what was used last comes first
#[derive(Default, clap::Args)]
#[command(after_help = "Examples:\n  cargo ktstr cache list\n  cargo ktstr cache list --json")]
pub struct Args {
    /// Print a JSON array instead of a table
    #[arg(long)]
    json: bool,
}

/// One line of `--json`.
#[derive(Serialize)]
struct Row<'a> {
    kind: Kind,
    name: &'a str,
    about: &'a str,
    folder: String,
    bytes: u64,
    /// Seconds since 1970.
    made_at: u64,
    /// Seconds since 1970.
    used_at: u64,
    in_use: bool,
}

impl<'a> Row<'a> {
    fn of(item: &'a Item) -> Self {
        let seconds = |moment: SystemTime| moment.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self {
            kind: item.kind,
            name: &item.name,
            about: &item.about,
            folder: item.folder.display().to_string(),
            bytes: item.bytes,
            made_at: seconds(item.made),
            used_at: seconds(item.used),
            in_use: item.in_use,
        }
    }
}

pub fn run(args: &Args, cache: &Cache) -> Result<()> {
    let items = items(cache)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&items.iter().map(Row::of).collect::<Vec<_>>())?);
        return Ok(());
    }
    println!("{}:", cache.root().display());
    if !items.is_empty() {
        print_table(&items);
    }
    for (kind, count, bytes) in totals(&items) {
        println!("{}", count_text(count, kind.name(), bytes));
    }
    let kernels = cache.list()?;
    let bytes = kernels.iter().map(Slot::bytes).sum();
    println!("{} (`cargo ktstr kernel list`)", count_text(kernels.len(), "kernel", bytes));
    Ok(())
}

/// `2 templates, 301.5 MB`.
pub fn count_text(count: usize, name: &str, bytes: u64) -> String {
    format!("{count} {name}{}, {}", if count == 1 { "" } else { "s" }, format_bytes(bytes))
}

/// How many there are of each kind, and the bytes that they take.
pub fn totals(items: &[Item]) -> impl Iterator<Item = (Kind, usize, u64)> {
    Kind::ALL.into_iter().map(|kind| {
        let of_kind = || items.iter().filter(move |item| item.kind == kind);
        (kind, of_kind().count(), of_kind().map(|item| item.bytes).sum())
    })
}

fn print_table(items: &[Item]) {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["KIND", "NAME", "WHAT", "SIZE", "AGE", "LAST USE"]);
    for item in items {
        let age = |moment: SystemTime| format_age(moment.elapsed().unwrap_or_default());
        let used = if item.in_use { "in use".to_owned() } else { age(item.used) };
        let (size, made) = (format_bytes(item.bytes), age(item.made));
        table.add_row([item.kind.name(), &item.name, &item.about, &size, &made, &used]);
    }
    if let Some(column) = table.column_mut(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{}", table.trim_fmt());
}
