//! Waiting for an instant at which a machine can be saved. Without dependencies: the test process does it too.

use std::time::Duration;
use std::{fs, thread};

/// Lets the rest of the boot finish, so that the saved instant is the same each time and no clone inherits its work.
pub fn wait_until_idle() {
    const LOOK: Duration = Duration::from_millis(250);
    const PATIENCE: u32 = 80;
    for _ in 0..PATIENCE {
        let before = busy_ticks();
        thread::sleep(LOOK);
        // One tick may be our own.
        if busy_ticks() <= before + 1 {
            return;
        }
    }
}

/// Spins to an instant with no timer of any CPU near. QEMU may or may not run a timer that is due just as the machine is
/// stopped, and the templates that come of it differ.
pub fn wait_between_timers(monotonic_ns: impl Fn() -> u64) {
    const CLEAR_NS: u64 = 400_000;
    const BEHIND_NS: u64 = 100_000;
    const TRIES: u32 = 500;
    for _ in 0..TRIES {
        let text = fs::read_to_string("/proc/timer_list").unwrap_or_default();
        let now = monotonic_ns();
        let expiries = text.lines().filter_map(|line| {
            let value = line.trim().strip_prefix(".expires_next")?.trim_start_matches([' ', ':']);
            value.split(' ').next()?.parse::<u64>().ok()
        });
        match expiries.filter(|at| *at + CLEAR_NS > now).min() {
            Some(next) if next < now + CLEAR_NS => {
                while monotonic_ns() < next + BEHIND_NS {
                    std::hint::spin_loop();
                }
            }
            _ => return,
        }
    }
}

/// Ticks that all CPUs together have spent on anything but idling (proc_stat(5)).
fn busy_ticks() -> u64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields = text.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks: Vec<u64> = fields.map(|text| text.parse().unwrap_or(0)).collect();
    // The fourth is idle, the fifth waits for I/O, which is idle too.
    ticks.iter().enumerate().filter(|(index, _)| !matches!(index, 3 | 4)).map(|(_, ticks)| ticks).sum()
}
