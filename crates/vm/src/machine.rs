//! A running machine.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use ktstr_wire::layout::{Area, stage, word};
use rustix::fs::{MemfdFlags, memfd_create};
use serde_json::{Value, json};

use crate::command_line::{self, Files, Role};
use crate::error::VmError;
use crate::guest_disk;
use crate::host_channel::ChannelReader;
use crate::interrupt::interrupted;
use crate::lease::Lease;
use crate::lockstep;
use crate::machine_spec::{MachineSpec, Purpose};
use crate::process::{Launch, launch};
use crate::process_times::cpu_time;
use crate::qemu::Qemu;
use crate::qmp::Qmp;
use crate::template::Progress;

/// How often a waiting host looks at deadlines. The machine itself is not disturbed by it.
const LOOK: Duration = Duration::from_millis(200);

/// Why a machine stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The agent stopped it, or the guest kernel's panic driver did: the channel's stage tells which.
    Guest,
    /// The guest reset itself or turned itself off; QEMU's word for the reason.
    Shutdown(String),
    /// QEMU could not go on, as KVM on a host whose hypervisor does not carry it.
    InternalError,
    /// QEMU ended; what it wrote to stderr.
    Gone(String),
    /// The deadline passed.
    Deadline(String),
}

impl Stop {
    /// The number of the signal that QEMU died of, if it did.
    pub(crate) fn signal(&self) -> Option<i32> {
        let Self::Gone(said) = self else { return None };
        // As an `ExitStatus` says it, behind what QEMU said.
        let (_, status) = said.rsplit_once("(signal: ")?;
        status.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
    }
}

/// When to give up waiting for a stop.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    /// CPU time that QEMU may use. On a busy host it does not run faster than this tells.
    pub cpu: Option<Duration>,
    /// Wall time.
    pub wall: Duration,
    /// So much more of each while the test function has not begun: verifying a scheduler's programs may take long.
    pub more_before_test: Duration,
}

/// Time that a machine has used.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    cpu: Duration,
    wall: Duration,
}

impl Deadline {
    /// The limit that is passed, in words. What was used before the test function began counts as long as it goes on, and
    /// afterwards only where it was more than may be used then.
    fn passed(&self, used: Used, before_test: Used) -> Option<String> {
        let limit = |limit: Duration, before: Duration| limit + before.min(self.more_before_test);
        let wall = limit(self.wall, before_test.wall);
        if used.wall >= wall {
            return Some(format!("{:.0} s of wall time", wall.as_secs_f64()));
        }
        let cpu = limit(self.cpu?, before_test.cpu);
        (used.cpu >= cpu).then(|| format!("{:.0} s of QEMU's CPU time", cpu.as_secs_f64()))
    }
}

/// A machine: one QEMU process. Dropping it kills the process.
pub struct Machine {
    child: Child,
    qmp: Qmp,
    channel: ChannelReader,
    console: File,
    stderr: File,
    started: Instant,
    greeted_after: Duration,
    vcpu_threads: Vec<u32>,
    line: Option<UnixStream>,
    _lease: Lease,
}

/// The files that the machine keeps on disk.
pub(crate) struct Disk<'a> {
    pub ram: &'a Path,
    pub initrd: &'a Path,
}

pub(crate) fn scratch(name: &str) -> Result<File, VmError> {
    memfd_create(name, MemfdFlags::CLOEXEC).map(File::from).map_err(VmError::system("creating a memory file"))
}

fn text_of(mut file: &File) -> String {
    let mut bytes = Vec::new();
    let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn copy(file: &File) -> Result<File, VmError> {
    file.try_clone().map_err(VmError::system("dup"))
}

fn socket_pair() -> Result<(UnixStream, UnixStream), VmError> {
    UnixStream::pair().map_err(VmError::system("socketpair"))
}

/// QEMU's ends of what it shares with us.
struct Ends {
    channel: File,
    console: File,
    control: UnixStream,
    line: Option<UnixStream>,
    guest_disk: Option<File>,
    lockstep: Option<File>,
}

impl Ends {
    /// All that a machine of this kind has, and our ends of its control socket and of a shell's line.
    fn make(
        spec: &MachineSpec,
        channel: File,
        console: File,
    ) -> Result<(Self, UnixStream, Option<UnixStream>), VmError> {
        let (ours, control) = socket_pair()?;
        let line = match spec.purpose {
            Purpose::Shell => Some(socket_pair()?),
            Purpose::Test => None,
        };
        let (our_line, line) = line.unzip();
        let guest_disk = (spec.disk_mb > 0).then(|| guest_disk::create(spec.disk_mb)).transpose()?;
        let lockstep = lockstep::library(spec)?;
        Ok((Self { channel, console, control, line, guest_disk, lockstep }, ours, our_line))
    }

    fn arguments(&self, qemu: &Qemu, spec: &MachineSpec, role: Role, disk: &Disk<'_>) -> Vec<String> {
        let path = |file: &File| format!("/proc/self/fd/{}", file.as_raw_fd());
        let files = Files {
            ram: disk.ram,
            initrd: disk.initrd,
            channel: &path(&self.channel),
            console: &path(&self.console),
            control_fd: self.control.as_raw_fd(),
            line_fd: self.line.as_ref().map_or(-1, |end| end.as_raw_fd()),
            disk: &self.guest_disk.as_ref().map_or_else(String::new, path),
        };
        command_line::arguments(qemu, spec, role, files)
    }

    fn environment(&self) -> Vec<(&'static str, OsString)> {
        let preload = |library| (lockstep::VARIABLE, lockstep::preload(library));
        self.lockstep.iter().map(preload).collect()
    }

    fn into_inherited(self) -> Vec<OwnedFd> {
        let mut inherited = vec![self.channel.into(), self.console.into(), self.control.into()];
        inherited.extend(self.line.map(OwnedFd::from));
        inherited.extend(self.guest_disk.map(OwnedFd::from));
        inherited.extend(self.lockstep.map(OwnedFd::from));
        inherited
    }
}

impl Machine {
    /// Starts QEMU up to the point where it takes commands. The lease is given back with the machine.
    pub(crate) fn start(
        qemu: &Qemu,
        spec: &MachineSpec,
        role: Role,
        disk: &Disk<'_>,
        channel: File,
        lease: Lease,
        progress: &mut dyn Progress,
    ) -> Result<Self, VmError> {
        let (console, stderr) = (scratch("ktstr-console")?, scratch("ktstr-stderr")?);
        let reader = ChannelReader::of(&channel)?;
        let (ends, control, line) = Ends::make(spec, channel, copy(&console)?)?;
        let arguments = ends.arguments(qemu, spec, role, disk);
        let environment = ends.environment();
        let wants_lockstep = !environment.is_empty();
        let started = Instant::now();
        let launched = Launch {
            program: qemu.path.clone(),
            arguments,
            environment,
            inherit: ends.into_inherited(),
            stderr: copy(&stderr)?,
        };
        let mut child = launch(launched)?;
        let qmp = Qmp::connect(control).map_err(|error| {
            let _ = child.kill();
            let _ = child.wait();
            match text_of(&stderr).trim() {
                "" => error,
                said => VmError::QemuRefused { said: said.to_owned() },
            }
        })?;
        let greeted_after = started.elapsed();
        if wants_lockstep && !lockstep::is_loaded(child.id()) {
            progress.slow("QEMU does not load libraries (LD_PRELOAD): on a busy host equal runs may differ now and then");
        }
        let mut machine = Self {
            child,
            qmp,
            channel: reader,
            console,
            stderr,
            started,
            greeted_after,
            vcpu_threads: Vec::new(),
            line,
            _lease: lease,
        };
        let capabilities: Vec<Value> =
            ["x-ignore-shared", "events"].map(|name| json!({ "capability": name, "state": true })).into();
        machine.qmp.execute("migrate-set-capabilities", json!({ "capabilities": capabilities }))?;
        Ok(machine)
    }

    /// Executes a control command. Not between letting a deterministic machine go and its stop.
    pub(crate) fn execute(&mut self, command: &str, arguments: Value) -> Result<Value, VmError> {
        self.qmp.execute(command, arguments)
    }

    /// Asks which threads run the virtual CPUs. They are none the wiser; yet it is a control command.
    pub(crate) fn find_vcpu_threads(&mut self) -> Result<(), VmError> {
        let cpus = self.execute("query-cpus-fast", json!({}))?;
        let thread = |cpu: &Value| u32::try_from(cpu["thread-id"].as_u64()?).ok();
        let mut threads: Vec<u32> = cpus.as_array().into_iter().flatten().filter_map(thread).collect();
        threads.sort_unstable();
        threads.dedup();
        self.vcpu_threads = threads;
        Ok(())
    }

    /// Waits for the end of a transfer of state.
    pub(crate) fn wait_migrated(&mut self) -> Result<(), VmError> {
        self.qmp.wait_migrated()
    }

    /// The line to a session in the guest. A machine for tests has none, and it is given away once.
    pub fn take_line(&mut self) -> Option<UnixStream> {
        self.line.take()
    }

    /// Readable when the machine may have stopped.
    pub fn control(&self) -> &UnixStream {
        self.qmp.socket()
    }

    /// QEMU's process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The host's thread ids of the virtual CPUs, in ascending order: one for each of them, in deterministic mode one for all.
    /// None of a machine that boots.
    pub fn vcpu_threads(&self) -> &[u32] {
        &self.vcpu_threads
    }

    /// Time since QEMU was started.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Time from QEMU's start to its greeting.
    pub fn greeted_after(&self) -> Duration {
        self.greeted_after
    }

    /// All that the guest wrote to its serial console.
    pub fn console(&self) -> String {
        text_of(&self.console)
    }

    /// The machine's channel.
    pub fn channel(&self) -> &ChannelReader {
        &self.channel
    }

    /// How far the guest has come; [`stage::BOOTING`] when it cannot be told.
    pub fn stage(&self) -> u32 {
        self.channel.u32(word::STAGE).unwrap_or(stage::BOOTING)
    }

    /// The text of a log area; empty when it cannot be read.
    pub fn log(&self, area: Area) -> String {
        self.channel.log(area).map(|log| log.text).unwrap_or_default()
    }

    /// Waits until the machine stops, without a word to QEMU.
    ///
    /// # Errors
    /// When QEMU's control channel breaks although QEMU lives, or this process is asked to end.
    pub fn wait_stop(&mut self, deadline: Deadline) -> Result<Stop, VmError> {
        let mut before_test = Used::default();
        loop {
            if let Some(stop) = self.stops_within(LOOK)? {
                return Ok(stop);
            }
            if interrupted() {
                return Err(VmError::Interrupted);
            }
            let cpu = cpu_time(self.pid()).map_err(VmError::system("reading QEMU's CPU time"))?;
            let used = Used { cpu, wall: self.age() };
            if self.stage() < stage::TEST_BEGAN {
                before_test = used;
            }
            if let Some(passed) = deadline.passed(used, before_test) {
                return Ok(Stop::Deadline(passed));
            }
        }
    }

    /// The stop of a machine that stops before so much time has passed without a word from QEMU.
    ///
    /// # Errors
    /// As [`wait_stop`](Self::wait_stop).
    pub fn stops_within(&mut self, patience: Duration) -> Result<Option<Stop>, VmError> {
        loop {
            match self.qmp.next_event(patience) {
                Ok(Some(event)) => {
                    if let Some(stop) = self.stop_of(&event) {
                        return Ok(Some(stop));
                    }
                }
                Ok(None) => return Ok(None),
                Err(error) => {
                    let status = self.ended().ok_or(error)?;
                    return Ok(Some(Stop::Gone(format!("{} ({status})", text_of(&self.stderr).trim()))));
                }
            }
        }
    }

    /// How QEMU ended, if it has: its socket closes a moment before the process can be reaped.
    fn ended(&mut self) -> Option<ExitStatus> {
        for _ in 0..50 {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }

    /// What QEMU wrote to stderr. To be asked when it refused something: it may be about to end, which is waited for.
    pub(crate) fn last_words(&mut self) -> String {
        self.ended();
        text_of(&self.stderr).trim().to_owned()
    }

    fn stop_of(&mut self, event: &Value) -> Option<Stop> {
        match event["event"].as_str()? {
            "SHUTDOWN" => {
                Some(Stop::Shutdown(event["data"]["reason"].as_str().unwrap_or("unknown").to_owned()))
            }
            "STOP" => match self.qmp.execute("query-status", json!({})).ok()?["status"].as_str()? {
                "internal-error" | "io-error" => Some(Stop::InternalError),
                // Its event follows and says why.
                "shutdown" => None,
                _ => Some(Stop::Guest),
            },
            _ => None,
        }
    }

    /// Ends the machine.
    pub fn end(self) {}
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Private memory of a process in bytes (`Private_Clean` + `Private_Dirty` of `/proc/PID/smaps_rollup`).
///
/// # Errors
/// When the process is gone or may not be looked at.
pub fn private_memory(pid: u32) -> io::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let kilobytes = text
        .lines()
        .filter(|line| line.starts_with("Private_"))
        .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    Ok(kilobytes.sum::<u64>() << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_dies_of_a_signal_says_which() {
        use std::os::unix::process::ExitStatusExt as _;
        let gone = |said: &str, status| Stop::Gone(format!("{said} ({})", ExitStatus::from_raw(status)));
        assert_eq!(gone("", 9).signal(), Some(9));
        assert_eq!(gone("kvm: (signal: x) MSR 0x10a", 6 | 0x80).signal(), Some(6), "with a core dump");
        assert_eq!(gone("no memory", 1 << 8).signal(), None);
        assert_eq!(Stop::InternalError.signal(), None);
    }

    #[test]
    fn what_a_test_needed_before_it_began_is_allowed_for() {
        let seconds = Duration::from_secs;
        let deadline = Deadline { cpu: Some(seconds(10)), wall: seconds(100), more_before_test: seconds(50) };
        let passed = |cpu, before| {
            let used = |cpu| Used { cpu: seconds(cpu), wall: seconds(cpu) };
            deadline.passed(used(cpu), used(before))
        };
        assert_eq!((passed(9, 0), passed(59, 59), passed(40, 35)), (None, None, None));
        assert_eq!(passed(10, 0).as_deref(), Some("10 s of QEMU's CPU time"));
        assert_eq!(passed(60, 60).as_deref(), Some("60 s of QEMU's CPU time"));
        assert_eq!(passed(45, 35).as_deref(), Some("45 s of QEMU's CPU time"));
    }
}
