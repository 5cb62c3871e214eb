//! The kernel's messages.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use rustix::event::{PollFd, PollFlags, poll};

use crate::channel::LogArea;
use crate::error::{GuestError, on_file, on_process};

/// A thread that copies the kernel's messages into the channel as they come: of a guest that hangs, panics or is cut
/// off, the host has those up to then.
#[derive(Debug)]
pub(crate) struct Follower {
    thread: JoinHandle<Result<Vec<String>, GuestError>>,
    /// Dropping it tells the thread to come to an end.
    stop: PipeWriter,
}

impl Follower {
    /// Begins to copy all messages since boot into `log`, as lines of text.
    ///
    /// # Errors
    /// When the kernel's log cannot be opened, or there can be no thread.
    pub(crate) fn start(kmsg: &Path, log: LogArea) -> Result<Self, GuestError> {
        let mut messages = Messages::open(kmsg, log)?;
        let (stopped, stop) = io::pipe().map_err(on_process("make a pipe"))?;
        let follow = move || {
            run_before_ordinary_tasks();
            messages.follow(&stopped)?;
            Ok(messages.concerned)
        };
        let thread = thread::Builder::new().name("kernel-log".into()).spawn(follow);
        Ok(Self { thread: thread.map_err(on_process("start a thread"))?, stop })
    }

    /// Copies what is left and returns the messages that concern sched_ext.
    ///
    /// # Errors
    /// When the kernel's log could not be read.
    pub(crate) fn finish(self) -> Result<Vec<String>, GuestError> {
        drop(self.stop);
        let panicked = |_| on_process("follow the kernel's log")(io::Error::other("its thread panicked"));
        self.thread.join().map_err(panicked)?
    }
}

/// A scheduler under test that lets tasks starve shall not starve the messages about that. Real-time tasks are none of
/// its business. Where the kernel refuses, the thread runs as the scheduler lets it.
fn run_before_ordinary_tasks() {
    // SAFETY: all zeroes is a valid parameter; 0 names the calling thread.
    unsafe {
        let mut parameter: libc::sched_param = std::mem::zeroed();
        parameter.sched_priority = 1;
        libc::sched_setscheduler(0, libc::SCHED_FIFO, &parameter);
    }
}

/// The kernel's log, being copied.
struct Messages {
    path: PathBuf,
    file: File,
    log: LogArea,
    /// Lines that concern sched_ext.
    concerned: Vec<String>,
}

impl Messages {
    fn open(kmsg: &Path, log: LogArea) -> Result<Self, GuestError> {
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(kmsg);
        let file = file.map_err(on_file("open", kmsg))?;
        Ok(Self { path: kmsg.to_owned(), file, log, concerned: Vec::new() })
    }

    /// Copies until `stopped` is hung up, and then what is there.
    fn follow(&mut self, stopped: &PipeReader) -> Result<(), GuestError> {
        loop {
            self.copy()?;
            let mut events = [PollFd::new(&self.file, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
            match poll(&mut events, None) {
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(on_process("wait for the kernel's messages")(errno)),
                Ok(_) if events[1].revents().is_empty() => {}
                Ok(_) => return self.copy(),
            }
        }
    }

    /// Copies the messages that are there.
    fn copy(&mut self) -> Result<(), GuestError> {
        // One read gives one record; the kernel's longest is this long (PRINTK_MESSAGE_MAX).
        let mut record = [0; 8192];
        loop {
            match self.file.read(&mut record) {
                Ok(0) => return Ok(()),
                Ok(len) => self.append(&String::from_utf8_lossy(&record[..len])),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                // Records were overwritten before they could be read; the next read goes on with the oldest there is.
                Err(error) if error.raw_os_error() == Some(libc::EPIPE) => {
                    self.log.append(b"[messages lost]\n")
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(on_file("read", &self.path)(error)),
            }
        }
    }

    fn append(&mut self, record: &str) {
        let Some(line) = line_of(record) else { return };
        self.log.append(format!("{line}\n").as_bytes());
        if concerns_sched_ext(&line) {
            self.concerned.push(line);
        }
    }
}

/// Turns a record (`6,339,5140900,-;text` and, on lines of their own, key-value pairs; see the kernel's
/// `Documentation/ABI/testing/dev-kmsg`) into a line as dmesg prints it: `[    5.140900] text`.
fn line_of(record: &str) -> Option<String> {
    let (prefix, rest) = record.split_once(';')?;
    let microseconds: u64 = prefix.split(',').nth(2)?.parse().ok()?;
    let text = rest.lines().next()?;
    Some(format!("[{:5}.{:06}] {text}", microseconds / 1_000_000, microseconds % 1_000_000))
}

/// Whether a line is about sched_ext: it says so, or it is the watchdog's about a task that did not get to run.
fn concerns_sched_ext(line: &str) -> bool {
    line.contains("sched_ext") || line.contains("] failed to run for ")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::time::{Duration, Instant};

    use ktstr_wire::{layout, read_log};
    use proptest::prelude::*;

    use super::*;
    use crate::channel::Channel;
    use crate::channel::tests::{area_of, channel_file, order};

    #[test]
    fn prints_records_as_dmesg_does() {
        let record = "6,339,5140900,-;NET: Registered PF_INET6 family\n SUBSYSTEM=pci\n DEVICE=+pci:0000\n";
        assert_eq!(line_of(record).unwrap(), "[    5.140900] NET: Registered PF_INET6 family");
        assert_eq!(line_of("4,7,123456789012,c;a;b").unwrap(), "[123456.789012] a;b");
        for other in ["", "6,1", "6,1;x", "6,1,x,-;y", "6,1,2,-;"] {
            assert_eq!(line_of(other), None, "{other}");
        }
    }

    #[test]
    fn picks_what_concerns_sched_ext() {
        let concerned = [
            "[    9.1] sched_ext: BPF scheduler \"mini\" disabled (runnable task stall)",
            "[    9.2] mini: victim[218] failed to run for 3.168s",
        ];
        assert!(concerned.into_iter().all(concerns_sched_ext));
        assert!(!concerns_sched_ext("[    9.3] systemd[1]: unit failed"));
    }

    /// A stand-in for `/dev/kmsg`: in a fifo too, a read gives what one write put there.
    fn fifo() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kmsg");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).unwrap();
        (folder, path)
    }

    #[test]
    fn copies_messages_as_they_come() {
        let (_folder, kmsg) = fifo();
        // Open for reading too: a fifo without a writer would be at its end.
        let mut kernel = File::options().read(true).write(true).open(&kmsg).unwrap();
        let file = channel_file(&order("t"));
        let channel = Channel::open(file.try_clone().unwrap().into(), 0).unwrap();
        let copied = || read_log(&area_of(&file, layout::KERNEL_LOG)).text;
        let follower =
            Follower::start(&kmsg, channel.log("kernel log", layout::KERNEL_LOG).unwrap()).unwrap();
        let lines = [
            "[    1.500000] sched_ext: BPF scheduler \"mini\" enabled",
            "[    2.000000] NET: something else",
        ];
        for (count, record) in [
            "6,1,1500000,-;sched_ext: BPF scheduler \"mini\" enabled\n",
            "6,2,2000000,-;NET: something else\n SUBSYSTEM=pci\n",
        ]
        .into_iter()
        .enumerate()
        {
            kernel.write_all(record.as_bytes()).unwrap();
            let expected: String = lines[..=count].iter().map(|line| format!("{line}\n")).collect();
            let end = Instant::now() + Duration::from_secs(20);
            while copied() != expected {
                assert!(Instant::now() < end, "{} is not {expected}", copied());
                thread::sleep(Duration::from_millis(1));
            }
        }
        kernel.write_all(b"4,3,3000000,-;mini: victim[218] failed to run for 3.168s\n").unwrap();
        let last = "[    3.000000] mini: victim[218] failed to run for 3.168s";
        assert_eq!(follower.finish().unwrap(), [lines[0], last]);
        assert!(copied().ends_with(&format!("{last}\n")));
    }

    #[test]
    fn a_log_that_is_not_there_is_named() {
        let file = channel_file(&order("t"));
        let channel = Channel::open(file.into(), 0).unwrap();
        let log = channel.log("kernel log", layout::KERNEL_LOG).unwrap();
        let error = Follower::start(Path::new("/nowhere/kmsg"), log).unwrap_err().to_string();
        assert!(error.starts_with("cannot open /nowhere/kmsg"), "{error}");
    }

    proptest! {
        #[test]
        fn no_record_breaks_it(record: String) {
            line_of(&record);
        }
    }
}
