//! Where things are kept, and how much room there is.

use std::fs;
use std::path::Path;

use ktstr_kernel::{Cache, Environment, Slot};

use super::finding::Finding;
use crate::cache::{count_text, items, totals};
use crate::size::format_bytes;

/// A template of a large machine takes a third of this, a payload loaded into it the same again.
const LEAST_FREE: u64 = 1_000_000_000;
/// Kernels, templates and builds of a few weeks.
const COMFORTABLE: u64 = 10_000_000_000;

/// Where the cache is and why there.
pub fn cache_folder(environment: &Environment, cache: &Cache) -> Finding {
    let named_by = match (&environment.cache_dir, &environment.xdg_cache_home) {
        (Some(_), _) => "KTSTR_CACHE_DIR",
        (None, Some(_)) => "XDG_CACHE_HOME",
        (None, None) => "HOME",
    };
    let found = format!("{} (from {named_by})", cache.root().display());
    match is_writable(existing_part(cache.root())) {
        Ok(()) => Finding::ok("cache", found),
        Err(error) => Finding::missing("cache", format!("{found} cannot be written: {error}"))
            .fixed_by_hand("make it writable, or name another folder in KTSTR_CACHE_DIR"),
    }
}

/// The folder itself, or the one in which it would be made.
fn existing_part(root: &Path) -> &Path {
    root.ancestors().find(|path| path.exists()).unwrap_or(root)
}

/// Asks the system without writing.
fn is_writable(folder: &Path) -> rustix::io::Result<()> {
    if !folder.is_dir() {
        return Err(rustix::io::Errno::NOTDIR);
    }
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)
}

/// Free space where the cache is.
pub fn disk(cache: &Cache) -> Finding {
    let disk = match rustix::fs::statvfs(existing_part(cache.root())) {
        Ok(disk) => disk,
        Err(error) => return Finding::note("disk", format!("free space is not known: {error}")),
    };
    let free = disk.f_bavail * disk.f_frsize;
    let found = format!("{} free where the cache is", format_bytes(free));
    let clean = "`cargo ktstr cache clean --keep-bytes 1G` and `cargo ktstr kernel clean --keep 2`, or free some elsewhere";
    match free {
        0..LEAST_FREE => Finding::missing("disk", found).fixed_by_hand(clean),
        LEAST_FREE..COMFORTABLE => Finding::note("disk", found).fixed_by_hand(clean),
        _ => Finding::ok("disk", found),
    }
}

/// What the cache holds.
pub fn held(cache: &Cache) -> Finding {
    match (items(cache), cache.list()) {
        (Ok(items), Ok(kernels)) => {
            let mut parts: Vec<String> = totals(&items)
                .filter(|(_, count, _)| *count > 0)
                .map(|(kind, count, bytes)| count_text(count, kind.name(), bytes))
                .collect();
            let bytes = kernels.iter().map(Slot::bytes).sum();
            parts.push(count_text(kernels.len(), "kernel", bytes));
            Finding::ok("cached", parts.join("; "))
        }
        (Err(error), _) => Finding::note("cached", format!("{error:#}")),
        (_, Err(error)) => Finding::note("cached", error),
    }
}

/// Whether one process may read another's memory: said because guides for other tools ask for it.
pub fn memory_reading() -> Finding {
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").ok();
    let scope = scope.map_or_else(
        || "this kernel has no yama".to_owned(),
        |scope| format!("ptrace_scope is {}", scope.trim()),
    );
    Finding::ok("memory", format!("{scope}; nothing in ktstr needs to read another process's memory yet"))
}
