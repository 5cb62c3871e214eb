//! The CPU time of a process, from `/proc`.

use std::fs;
use std::io;
use std::time::Duration;

/// CPU time that a process has used, in user space and in the kernel.
///
/// # Errors
/// When it is gone, or the kernel writes another format than that of proc(5).
pub fn cpu_time(pid: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let unknown = || io::Error::other(format!("a format that proc(5) does not have: {}", stat.trim()));
    of_stat(&stat).ok_or_else(unknown)
}

/// From `/proc/PID/stat`: user and system time are the 12th and 13th field after the name, which is in parentheses and may
/// hold blanks and parentheses; in ticks of USER_HZ, which is 100 on Linux.
fn of_stat(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11).map(str::parse::<u64>);
    let (user, system) = (fields.next()?.ok()?, fields.next()?.ok()?);
    Some(Duration::from_millis(user.checked_add(system)?.checked_mul(10)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_writes() {
        let stat = "77 (x) y) S 1 77 77 0 -1 4194560 500 0 0 0 250 50 0 0 20 0 3 0 900 1000 200";
        assert_eq!(of_stat(stat), Some(Duration::from_secs(3)));
        for cut in ["", "77 (x", "77 (x) S 1 77", "77 (x) S 1 77 77 0 -1 4194560 500 0 0 0 a 50"] {
            assert_eq!(of_stat(cut), None, "{cut}: no time at all would be a limit that never passes");
        }
    }

    #[test]
    fn a_process_that_works_uses_time() {
        let us = std::process::id();
        let began = cpu_time(us).unwrap();
        while cpu_time(us).unwrap() < began + Duration::from_millis(20) {}
        cpu_time(u32::MAX).unwrap_err();
    }
}
