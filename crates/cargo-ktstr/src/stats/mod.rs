//! `cargo ktstr stats`: the records of runs, listed, shown and compared.

mod cells;
mod compare;
mod diff;
mod list;
mod place;
mod show;
mod table;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use ktstr_results::{BadRecord, RunFolder};

/// Show what runs came to: the cells of the newest folder of runs, or one of the commands below
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo ktstr stats\n  cargo ktstr stats list\n  \
                  cargo ktstr stats show target/ktstr/7.3.4-abc1234/steady-1795612581414-11987.json\n  \
                  cargo ktstr stats compare 7.3.4-abc1234 7.3.4-def5678\n  \
                  cargo ktstr stats diff one.json other.json\n\n\
                  Runs are kept in target/ktstr/KERNEL-COMMIT[-dirty]/.")]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

/// What all commands of `stats` take.
#[derive(clap::Args)]
struct Options {
    /// Print JSON instead of a table
    #[arg(long, global = true)]
    json: bool,
    /// Where the folders of runs are [default: KTSTR_SIDECAR_DIR, else target/ktstr of this workspace]
    #[arg(long, value_name = "FOLDER", global = true)]
    dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    List(list::Args),
    Show(show::Args),
    Compare(compare::Args),
    Diff(diff::Args),
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<ExitCode> {
    let options = &args.options;
    let place = || place::records(options.dir.as_deref());
    match &args.command {
        None => cells::run(&place()?.newest()?, options.json),
        Some(Command::List(_)) => list::run(&place()?, options.json),
        // A record that is named is shown wherever the others are.
        Some(Command::Show(show)) if show.run.is_file() => show::record(&show.run, options.json),
        Some(Command::Show(show)) => cells::run(&find(&place()?, &show.run)?, options.json),
        Some(Command::Compare(args)) => compare::run(args, &place()?, options.json),
        Some(Command::Diff(args)) => diff::run(args, options.json),
    }
}

fn find(place: &ktstr_results::RecordFolder, run: &std::path::Path) -> Result<RunFolder> {
    Ok(place.find(&run.to_string_lossy())?)
}

/// Prints to stdout; that nobody reads on is no error.
pub fn print(text: &str) -> Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints as JSON.
pub fn print_json(value: &impl serde::Serialize) -> Result<()> {
    print(&(serde_json::to_string_pretty(value)? + "\n"))
}

/// Names records that are left out.
fn tell_bad(bad: &[BadRecord], read: usize) {
    const SHOWN: usize = 10;
    if bad.is_empty() {
        return;
    }
    eprintln!("ktstr: {} of {} records cannot be read and are left out:", bad.len(), bad.len() + read);
    bad.iter().take(SHOWN).for_each(|bad| eprintln!("  {bad}"));
    if bad.len() > SHOWN {
        eprintln!("  and {} more", bad.len() - SHOWN);
    }
}

/// Bad records for `--json`.
fn bad_words(bad: &[BadRecord]) -> Vec<String> {
    bad.iter().map(ToString::to_string).collect()
}
