//! Measuring what a host keeps from a machine: how long its virtual CPUs wait for a CPU, and who has it meanwhile.
//!
//! All of it is read from `/proc`, and none of it asks QEMU, so a deterministic machine is not disturbed.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use ktstr_model::{BusyProcess, HostNoise};
use ktstr_vm::cpu_time;

/// Nanoseconds of a tick in `/proc/stat`: USER_HZ is 100 on Linux.
const TICK_NS: u64 = 10_000_000;

/// A machine that is being watched.
pub(crate) struct NoiseWatch {
    pid: u32,
    /// Threads that run virtual CPUs.
    vcpus: Vec<u32>,
    began: Instant,
    threads: BTreeMap<u32, Account>,
    steal: Vec<u64>,
    /// CPU time of every process; `None` when nobody asked who is noisy, which takes some milliseconds.
    processes: Option<BTreeMap<u32, u64>>,
}

/// The kernel's account of a thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Account {
    cpu_ns: u64,
    run_delay_ns: u64,
}

impl Account {
    /// What was added since it was `before`.
    fn since(self, before: Self) -> Self {
        Self {
            cpu_ns: self.cpu_ns.saturating_sub(before.cpu_ns),
            run_delay_ns: self.run_delay_ns.saturating_sub(before.run_delay_ns),
        }
    }
}

impl NoiseWatch {
    /// Watches process `pid`, whose threads `vcpus` run virtual CPUs, from now on; `find_noisiest` also looks for the process
    /// that uses most CPU time meanwhile.
    pub(crate) fn begin(pid: u32, vcpus: &[u32], find_noisiest: bool) -> Self {
        Self {
            pid,
            vcpus: vcpus.to_vec(),
            threads: threads_of(pid),
            steal: steal_of(&read("/proc/stat")),
            processes: find_noisiest.then(cpu_times),
            began: Instant::now(),
        }
    }

    /// What was kept from it since then. Threads that have ended meanwhile are not counted. QEMU's other threads may wait:
    /// no virtual CPU is held up by that alone.
    pub(crate) fn end(&self) -> HostNoise {
        let wall_ns = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let since: BTreeMap<u32, Account> = threads_of(self.pid)
            .into_iter()
            .map(|(tid, now)| (tid, now.since(self.threads.get(&tid).copied().unwrap_or_default())))
            .collect();
        let of_vcpus = self.vcpus.iter().filter_map(|tid| since.get(tid));
        let stolen = steal_of(&read("/proc/stat")).into_iter().zip(&self.steal);
        HostNoise {
            wall_ns,
            cpu_ns: since.values().map(|account| account.cpu_ns).sum(),
            run_delay_ns: of_vcpus.map(|account| account.run_delay_ns).max().unwrap_or(0),
            steal_ns: stolen.map(|(now, before)| now.saturating_sub(*before)).max().unwrap_or(0),
            load: read("/proc/loadavg").split_whitespace().next().and_then(|load| load.parse().ok()),
            noisiest: self.processes.as_ref().and_then(|before| self.noisiest(before)),
        }
    }

    fn noisiest(&self, before: &BTreeMap<u32, u64>) -> Option<BusyProcess> {
        let ours = [self.pid, std::process::id()];
        let (pid, cpu_ns) = busiest(before, &cpu_times(), &ours)?;
        let comm = read(&format!("/proc/{pid}/comm")).trim().to_owned();
        Some(BusyProcess { pid, comm, cpu_ns })
    }
}

/// The process whose CPU time grew most, and by how much; not one of `ours`, and none when nobody's did.
fn busiest(before: &BTreeMap<u32, u64>, now: &BTreeMap<u32, u64>, ours: &[u32]) -> Option<(u32, u64)> {
    let others = now.iter().filter(|(pid, _)| !ours.contains(pid));
    let grown = others.map(|(pid, cpu)| (*pid, cpu.saturating_sub(before.get(pid).copied().unwrap_or(0))));
    grown.filter(|(_, cpu)| *cpu > 0).max_by_key(|(_, cpu)| *cpu)
}

/// The threads of a process; none when it is gone or the kernel keeps no account.
fn threads_of(pid: u32) -> BTreeMap<u32, Account> {
    let account =
        |tid| account_of(&read(&format!("/proc/{pid}/task/{tid}/schedstat"))).map(|found| (tid, found));
    numbers_in(&format!("/proc/{pid}/task")).filter_map(account).collect()
}

fn cpu_times() -> BTreeMap<u32, u64> {
    let in_ns = |pid| Some((pid, u64::try_from(cpu_time(pid).ok()?.as_nanos()).ok()?));
    numbers_in("/proc").filter_map(in_ns).collect()
}

fn numbers_in(folder: &str) -> impl Iterator<Item = u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The content of a file of `/proc`; nothing when it is gone.
fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// From `/proc/PID/task/TID/schedstat`: CPU time, run delay, time slices.
fn account_of(schedstat: &str) -> Option<Account> {
    let mut fields = schedstat.split_whitespace().map(str::parse);
    Some(Account { cpu_ns: fields.next()?.ok()?, run_delay_ns: fields.next()?.ok()? })
}

/// From `/proc/stat`: the time that was stolen from each CPU, in nanoseconds. It is the 8th figure of a line such as `cpu0`.
fn steal_of(stat: &str) -> Vec<u64> {
    let of_one = |line: &str| {
        let number = line.strip_prefix("cpu")?;
        let ticks = number.split_whitespace().nth(8)?.parse::<u64>().ok()?;
        number.starts_with(|letter: char| letter.is_ascii_digit()).then_some(ticks.saturating_mul(TICK_NS))
    };
    stat.lines().filter_map(of_one).collect()
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use rustix::process::Pid;
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    use super::*;

    #[test]
    fn reads_what_the_kernel_writes() {
        let account = account_of("1200 3400 56\n");
        assert_eq!(account, Some(Account { cpu_ns: 1200, run_delay_ns: 3400 }));
        assert_eq!(account_of(""), None);
        let stat =
            "cpu  9 9 9 9 9 9 9 70 0 0\ncpu0 1 2 3 4 5 6 7 30 0 0\ncpu1 1 2 3 4 5 6 7 40 0 0\nintr 5\n";
        assert_eq!(steal_of(stat), [300_000_000, 400_000_000]);
    }

    #[test]
    fn the_noisiest_is_whose_time_grew_most() {
        let before = BTreeMap::from([(1, 500), (2, 900), (3, 10)]);
        let now = BTreeMap::from([(1, 520), (2, 900), (3, 9000), (4, 60)]);
        assert_eq!(busiest(&before, &now, &[3]), Some((4, 60)));
        assert_eq!(busiest(&before, &now, &[3, 4]), Some((1, 20)));
        assert_eq!(busiest(&before, &before, &[]), None);
    }

    /// A process that computes for ever on one CPU. It is killed when this is dropped.
    struct Spinner(Child);

    impl Spinner {
        fn on(cpus: &CpuSet) -> Self {
            let child = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
            sched_setaffinity(Pid::from_raw(child.id() as i32), cpus).unwrap();
            Self(child)
        }
    }

    impl Drop for Spinner {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn two_that_share_a_cpu_hold_each_other_up() {
        let allowed = sched_getaffinity(None).unwrap();
        let cpu = (0..CpuSet::MAX_CPU).find(|cpu| allowed.is_set(*cpu)).unwrap();
        let mut one = CpuSet::new();
        one.set(cpu);
        let (watched, other) = (Spinner::on(&one), Spinner::on(&one));
        // A process that has never cloned a thread has one, of the process's own number.
        let pid = watched.0.id();
        let watch = NoiseWatch::begin(pid, &[pid], true);
        let of_another_thread = NoiseWatch::begin(pid, &[other.0.id()], false);
        // As long as it takes, on a host that may be busy: each has had the CPU by then.
        while watch.end().cpu_ns < 50_000_000
            || watch.end().noisiest.is_none_or(|other| other.cpu_ns < 50_000_000)
        {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let noise = watch.end();
        assert!(noise.run_delay_ns > 0 && noise.held_up_ns() >= noise.run_delay_ns, "{noise:?}");
        assert!(noise.wall_ns >= noise.cpu_ns && noise.load.is_some(), "{noise:?}");
        assert_eq!(of_another_thread.end().run_delay_ns, 0, "only threads that run virtual CPUs count");
        assert!(noise.noisiest.is_some_and(|busy| busy.pid != watched.0.id() && !busy.comm.is_empty()));
        let unasked = NoiseWatch::begin(other.0.id(), &[], false).end();
        assert_eq!(unasked.noisiest, None);
    }

    #[test]
    fn a_process_that_is_gone_was_not_held_up() {
        let mut gone = Command::new("true").spawn().unwrap();
        gone.wait().unwrap();
        let noise = NoiseWatch::begin(gone.id(), &[gone.id()], false).end();
        assert_eq!((noise.cpu_ns, noise.run_delay_ns), (0, 0));
    }
}
