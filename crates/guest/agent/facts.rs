//! What the machine looks like from inside, and how its vCPUs take turns.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::Failure;
use crate::sys::{self, Mapping, read_line};

/// How long the vCPUs are watched: long enough for each to have several turns, short against a boot.
const WATCH_NS: u64 = 250_000_000;
const WATCH_PER_CPU_NS: u64 = 50_000_000;
/// Time for all spinners to be forked before they are watched.
const FORK_PER_CPU_NS: u64 = 10_000_000;
/// Beyond this many CPUs watching costs more than it tells.
const MOST_WATCHED: usize = 64;

/// The facts as lines of text; the host reads them with `GuestFacts::parse`.
pub fn gather() -> Result<String, Failure> {
    let online = read_line("/sys/devices/system/cpu/online").ok_or("/sys/devices/system/cpu/online cannot be read")?;
    let cpus = cpu_list(&online);
    let mut text = format!("cpus {online}\n");
    for (key, file) in [("llc", "cache/index3/shared_cpu_list"), ("core", "topology/thread_siblings_list")] {
        let sets: BTreeSet<String> =
            cpus.iter().filter_map(|cpu| read_line(format!("/sys/devices/system/cpu/cpu{cpu}/{file}"))).collect();
        sets.iter().for_each(|set| writeln!(text, "{key} {set}").unwrap_or_default());
    }
    for set in numa_nodes(&online) {
        writeln!(text, "node {set}").unwrap_or_default();
    }
    let release = read_line("/proc/sys/kernel/osrelease").unwrap_or_default();
    let sched_ext = u32::from(Path::new("/sys/kernel/sched_ext").exists());
    writeln!(text, "release {release}\nsched_ext {sched_ext}").unwrap_or_default();
    let (turn, skew) = watch_turns(&cpus)?;
    writeln!(text, "turn_ns {turn}\nskew_permille {skew}").unwrap_or_default();
    Ok(text)
}

/// CPUs of each NUMA node that has some. A kernel without NUMA has one node.
fn numa_nodes(online: &str) -> Vec<String> {
    let root = Path::new("/sys/devices/system/node");
    let Ok(entries) = fs::read_dir(root) else { return vec![online.to_owned()] };
    entries
        .flatten()
        .filter_map(|entry| read_line(entry.path().join("cpulist")))
        .filter(|set| !set.is_empty())
        .collect()
}

fn cpu_list(text: &str) -> Vec<u32> {
    let number = |text: &str| text.parse::<u32>().ok();
    text.split(',')
        .filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            Some(number(first)?..=number(last)?)
        })
        .flatten()
        .collect()
}

/// One spinner pinned to each CPU: the longest time one of them waited in nanoseconds, and most over least work in
/// thousandths. Under TCG this is QEMU's doing, and bounds what a test may judge a scheduler by.
fn watch_turns(cpus: &[u32]) -> Result<(u64, u64), Failure> {
    let cpus = &cpus[..cpus.len().min(MOST_WATCHED)];
    let shared = Mapping::new(None, 0, cpus.len() * 16)?;
    let slot = |index: usize| shared.as_ptr().cast::<u64>().wrapping_add(index * 2);
    let begin = sys::monotonic_ns() + FORK_PER_CPU_NS * cpus.len() as u64;
    let end = begin + WATCH_NS + WATCH_PER_CPU_NS * cpus.len() as u64;
    let mut children = Vec::new();
    for (index, cpu) in cpus.iter().enumerate() {
        let slot = slot(index);
        children.push(sys::fork_child(move || {
            sys::pin_to(*cpu);
            let (gap, work) = spin(begin, end);
            // SAFETY: each child has its own two words of the shared mapping.
            unsafe { (slot.write_volatile(gap), slot.add(1).write_volatile(work)) };
        })?);
    }
    children.into_iter().for_each(|pid| drop(sys::wait_child(pid)));
    // SAFETY: the children have ended; their words are inside the mapping.
    let read = |index: usize| unsafe { (slot(index).read_volatile(), slot(index).add(1).read_volatile()) };
    let results: Vec<(u64, u64)> = (0..cpus.len()).map(read).collect();
    let longest = results.iter().map(|r| r.0).max().unwrap_or(0);
    let most = results.iter().map(|r| r.1).max().unwrap_or(0);
    let least = results.iter().map(|r| r.1).min().unwrap_or(0).max(1);
    Ok((longest, most * 1000 / least))
}

fn spin(begin: u64, end: u64) -> (u64, u64) {
    let (mut last, mut longest, mut work) = (begin, 0, 0);
    loop {
        let now = sys::monotonic_ns();
        if now >= end {
            return (longest, work);
        }
        if now > begin {
            longest = longest.max(now - last);
            work += 1;
            last = now;
        }
    }
}
