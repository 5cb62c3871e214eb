//! `cargo ktstr cache clean`

use anyhow::Result;
use clap::ArgGroup;
use ktstr_kernel::Cache;
use ktstr_vm::remove_idle_locks;

use super::item::{Item, items};
use crate::{
    confirm,
    size::{format_bytes, parse_bytes},
};

/// Remove what was used longest ago; what a process uses stays
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo ktstr cache clean --keep-bytes 4G\n  \
                  cargo ktstr cache clean --all --force\n\n\
                  All of it comes back when it is needed: a template is booted again, a kernel is compiled from the start.")]
#[command(group = ArgGroup::new("amount").required(true).args(["keep_bytes", "all"]))]
pub struct Args {
    /// Keep at most N bytes (500M, 4G) of what was used last
    #[arg(long, value_name = "N", value_parser = parse_bytes)]
    keep_bytes: Option<u64>,
    /// Keep nothing
    #[arg(long)]
    all: bool,
    /// Remove without asking
    #[arg(long)]
    force: bool,
}

pub fn run(args: &Args, cache: &Cache) -> Result<()> {
    let (busy, free): (Vec<_>, Vec<_>) = items(cache)?.into_iter().partition(|item| item.in_use);
    let busy_bytes: u64 = busy.iter().map(|item| item.bytes).sum();
    let doomed = beyond(free, args.keep_bytes.unwrap_or(0).saturating_sub(busy_bytes));
    if doomed.is_empty() {
        println!("nothing to remove in {}", cache.root().display());
    } else {
        let lines: Vec<_> = doomed.iter().map(describe).collect();
        if !args.force && !confirm::removal(lines.iter().map(String::as_str))? {
            println!("nothing removed");
            return Ok(());
        }
    }
    for item in &doomed {
        let is_gone = item.remove()?;
        say(item, is_gone);
    }
    busy.iter().for_each(|item| say(item, false));
    remove_idle_locks(cache.root());
    Ok(())
}

fn say(item: &Item, is_gone: bool) {
    if is_gone {
        println!("removed {}", describe(item));
    } else {
        println!("kept {}: it is in use by another process", describe(item));
    }
}

fn describe(item: &Item) -> String {
    format!("{} {} ({})", item.kind.name(), item.name, format_bytes(item.bytes))
}

/// What has to go so that at most `keep_bytes` stay of `items`, which are sorted from the last use back; oldest first.
fn beyond(items: Vec<Item>, keep_bytes: u64) -> Vec<Item> {
    let mut seen = 0;
    let mut fits = |item: &Item| {
        seen += item.bytes;
        // An empty folder fits everywhere, and is to go with the rest.
        seen <= keep_bytes && keep_bytes > 0
    };
    let mut doomed: Vec<_> = items.into_iter().skip_while(|item| fits(item)).collect();
    doomed.reverse();
    doomed
}
