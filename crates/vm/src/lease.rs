//! How many machines run on this host at once: as many as there are CPUs and memory for, whatever started them.
//!
//! Before a machine starts, its process takes a *lease*: in `CACHE/leases` there is a file `cpu-N` for each host CPU, and a
//! lease is a lock (`flock`) on some of them. A deterministic machine is one thread that is always busy, so it takes one
//! CPU; a real-time machine takes as many as it has vCPUs, or all. Processes may be allowed different CPUs, so a file
//! stands for a certain one. The first file of a lease says how much memory goes with it. The kernel lets the locks of a
//! process go when it dies, however it dies.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ktstr_model::Mode;

use crate::error::VmError;
use crate::file_lock::was_had;
use crate::host_capacity::HostCapacity;
use crate::interrupt::interrupted;
use crate::machine_spec::MachineSpec;
use crate::template::Progress;

/// Where leases are in the cache.
const LEASES: &str = "leases";
/// Held while a process looks for what is free: one at a time, so that one that needs much is not passed by others.
const GATE: &str = "gate";
const LOOK: Duration = Duration::from_millis(20);
/// After so long a wait the user is told.
const QUIET: Duration = Duration::from_secs(2);
/// What QEMU and a small test were measured to use, in MiB: 20 to 100.
const OWN_MEMORY_MB: u64 = 128;

/// What a machine takes of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    cpus: usize,
    memory_mb: u64,
}

impl Share {
    /// What a machine is counted with. Clones share their template's memory and own only what they write, so a quarter
    /// of its size stands for that.
    pub fn of(spec: &MachineSpec) -> Self {
        let cpus = match spec.mode {
            Mode::Deterministic => 1,
            Mode::RealTime => spec.topology.cpus() as usize,
        };
        Self { cpus, memory_mb: OWN_MEMORY_MB + u64::from(spec.memory_mb) / 4 }
    }
}

/// The right to run a machine, given back when dropped.
///
/// A second machine of the same thread goes with the lease of the first: two processes that each had one and waited for
/// another would wait forever.
#[derive(Debug)]
pub(crate) struct Lease {
    _slots: Arc<Vec<File>>,
}

thread_local! {
    static OF_THIS_THREAD: RefCell<Weak<Vec<File>>> = const { RefCell::new(Weak::new()) };
}

impl Lease {
    /// No room is asked for.
    pub fn none() -> Self {
        Self { _slots: Arc::new(Vec::new()) }
    }

    /// Waits until the host has room for `share`. `progress` hears of a wait that lasts, and of its length. Where the
    /// cache cannot be written, or has no locks, there are no leases, which it hears too.
    ///
    /// # Errors
    /// When this process is asked to end while it waits.
    pub fn take(cache: &Path, share: Share, progress: &mut dyn Progress) -> Result<Self, VmError> {
        if let Some(slots) = OF_THIS_THREAD.with_borrow(Weak::upgrade) {
            return Ok(Self { _slots: slots });
        }
        let slots = match Pool::open(&cache.join(LEASES)).and_then(|pool| pool.wait_for(share, progress)) {
            Ok(Some(slots)) => slots,
            Ok(None) => return Err(VmError::Interrupted),
            Err(error) => {
                progress
                    .slow(&format!("without a lease, so perhaps beside too many other machines: {error}"));
                Vec::new()
            }
        };
        let slots = Arc::new(slots);
        OF_THIS_THREAD.set(Arc::downgrade(&slots));
        Ok(Self { _slots: slots })
    }
}

/// The host's leases.
struct Pool {
    folder: PathBuf,
    capacity: HostCapacity,
    gate: File,
    /// One for each CPU that this process may use.
    slots: Vec<(usize, File)>,
}

fn at(path: PathBuf) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn open(path: PathBuf) -> io::Result<File> {
    File::options().create(true).truncate(false).read(true).write(true).open(&path).map_err(at(path))
}

impl Pool {
    fn open(folder: &Path) -> io::Result<Self> {
        Self::with_capacity(folder, HostCapacity::of_this_process())
    }

    fn with_capacity(folder: &Path, capacity: HostCapacity) -> io::Result<Self> {
        fs::create_dir_all(folder).map_err(at(folder.to_owned()))?;
        let slot = |cpu: &usize| Ok((*cpu, open(folder.join(format!("cpu-{cpu}")))?));
        let slots = capacity.cpus.iter().map(slot).collect::<io::Result<_>>()?;
        let gate = open(folder.join(GATE))?;
        Ok(Self { folder: folder.to_owned(), capacity, gate, slots })
    }

    /// Waits for what `share` needs; nothing when this process is asked to end meanwhile.
    fn wait_for(self, share: Share, progress: &mut dyn Progress) -> io::Result<Option<Vec<File>>> {
        let mut wait = Wait { began: Instant::now(), told: false, progress };
        let entered = wait.until(|| Ok(was_had(self.gate.try_lock())?.then_some(())))?;
        if entered.is_none() {
            return Ok(None);
        }
        let Some(numbers) = wait.until(|| self.try_take(share))? else { return Ok(None) };
        wait.progress.waited(wait.began.elapsed());
        let taken = self.slots.into_iter().filter(|(cpu, _)| numbers.contains(cpu));
        Ok(Some(taken.map(|(_, slot)| slot).collect()))
    }

    /// Locks what `share` needs and returns the CPUs, or locks nothing. Only for who holds the gate.
    fn try_take(&self, share: Share) -> io::Result<Option<Vec<usize>>> {
        let wanted = share.cpus.clamp(1, self.slots.len());
        let mut free: Vec<&(usize, File)> = Vec::new();
        for slot in &self.slots {
            if free.len() < wanted && was_had(slot.1.try_lock())? {
                free.push(slot);
            }
        }
        let fits = free.len() == wanted && {
            let others = self.memory_of_others_mb(&free)?;
            others == 0 || others.saturating_add(share.memory_mb) <= self.capacity.memory_mb
        };
        if !fits {
            for (_, slot) in free {
                slot.unlock()?;
            }
            return Ok(None);
        }
        for (at, (_, slot)) in free.iter().enumerate() {
            write_memory(slot, if at == 0 { share.memory_mb } else { 0 })?;
        }
        Ok(Some(free.into_iter().map(|(cpu, _)| *cpu).collect()))
    }

    /// Memory that goes with all leases on this host, on whatever CPUs, but for the slots in `mine`. What a dead process
    /// wrote does not count: nobody holds its lock.
    fn memory_of_others_mb(&self, mine: &[&(usize, File)]) -> io::Result<u64> {
        let mut sum = 0;
        for entry in fs::read_dir(&self.folder).map_err(at(self.folder.clone()))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let Some(cpu) = name.strip_prefix("cpu-").and_then(|number| number.parse::<usize>().ok()) else {
                continue;
            };
            if mine.iter().any(|(number, _)| *number == cpu) {
                continue;
            }
            let slot = open(self.folder.join(name))?;
            if !was_had(slot.try_lock_shared())? {
                sum += read_memory(&slot);
            }
        }
        Ok(sum)
    }
}

/// A wait for room on the host.
struct Wait<'a> {
    began: Instant,
    /// Whether the user has been told of it.
    told: bool,
    progress: &'a mut dyn Progress,
}

impl Wait<'_> {
    /// Tries until there is something; nothing when this process is asked to end before.
    fn until<T>(&mut self, mut attempt: impl FnMut() -> io::Result<Option<T>>) -> io::Result<Option<T>> {
        loop {
            if let Some(found) = attempt()? {
                return Ok(Some(found));
            }
            if interrupted() {
                return Ok(None);
            }
            if !self.told && self.began.elapsed() > QUIET {
                self.told = true;
                self.progress.slow("waiting for a free CPU and memory: other machines run on this host");
            }
            sleep(LOOK);
        }
    }
}

fn write_memory(mut slot: &File, memory_mb: u64) -> io::Result<()> {
    slot.set_len(0)?;
    slot.seek(SeekFrom::Start(0))?;
    slot.write_all(memory_mb.to_string().as_bytes())
}

/// 0 when there is no number.
fn read_memory(mut slot: &File) -> u64 {
    let mut text = String::new();
    slot.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
