//! All processes of a session: a program's children stay in its session whatever process groups they make.

use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::clock::monotonic_ns;

/// How often dying processes are looked for. They need a CPU to die.
const PAUSE: Duration = Duration::from_millis(5);

/// Kills all processes of a session until there are none, at most until `deadline_ns` of the monotonic clock.
pub(super) fn kill(session: u32, deadline_ns: u64) -> bool {
    loop {
        let members = members(session);
        if members.is_empty() {
            return true;
        }
        if monotonic_ns() >= deadline_ns {
            return false;
        }
        for pid in members {
            // One that has ended meanwhile needs no signal.
            let _ = kill_process(pid, Signal::KILL);
        }
        thread::sleep(PAUSE);
    }
}

/// The processes of a session that have not ended.
fn members(session: u32) -> Vec<Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| session_of(*pid) == Some(session)).filter_map(Pid::from_raw).collect()
}

/// The session of a process, unless it has ended and only waits to be reaped.
fn session_of(pid: i32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the command in parentheses and may hold anything; `state` is field 3 and `session` field 6.
    let mut fields = stat.rsplit_once(") ")?.1.split_ascii_whitespace();
    if ["Z", "X"].contains(&fields.next()?) {
        return None;
    }
    fields.nth(2)?.parse().ok()
}
