//! The process that becomes the test binary.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{ErrorKind, PipeReader, PipeWriter, Read as _};
use std::os::fd::AsRawFd as _;

use crate::channel::{Channel, Log};
use crate::layout::{CHANNEL_FD, GUEST_VARIABLE, PAYLOAD, STOP_FD, TEST_BINARY, TEST_LOG, exit, stage, word};
use crate::pci::StopDevice;
use crate::session::{self, Line};
use crate::sys::{self, Mapping, POLLIN, PollFd};
use crate::time_stamp::time_stamp;
use crate::{Failure, archive, stillness};

/// Payloads up to this size are unpacked from a mapping that the template has already.
const MAPPED_AHEAD: u64 = 32 << 20;

/// A child of the agent, and the pipe that it writes to.
pub struct TestProcess {
    pid: i32,
    output: PipeReader,
    log: Log,
    signals: i32,
}

impl TestProcess {
    /// Forks the process, which takes the machine to the wait point.
    pub fn fork(channel: &Channel, stop: &StopDevice) -> Result<Self, Failure> {
        let log = Log::new(channel, TEST_LOG)?;
        let (output, write_end) = std::io::pipe().map_err(|e| format!("pipe: {e}"))?;
        sys::set_nonblocking(output.as_raw_fd());
        let pid = sys::fork_child(|| {
            if let Err(failure) = become_test(channel, stop, &write_end) {
                channel.write_message(&failure);
                channel.set_u32(word::STAGE, stage::FAILED);
                stop.stop_machine();
            }
        })?;
        // Only after the fork: the child shall have no signal blocked.
        let signals = sys::signal_descriptor(&[&[sys::SIGCHLD][..], &sys::POWER_SIGNALS].concat())?;
        Ok(Self { pid, output, log, signals })
    }

    /// Copies what the process writes into the channel until it ends. Returns how it ended, as one of `layout::exit`
    /// and a value.
    pub fn wait(mut self, channel: &Channel) -> Result<(u32, u32), Failure> {
        let mut fds = [
            PollFd { fd: self.signals, events: POLLIN, revents: 0 },
            PollFd { fd: self.output.as_raw_fd(), events: POLLIN, revents: 0 },
        ];
        loop {
            sys::wait_ready(&mut fds);
            if !self.drain() {
                // A closed pipe is always readable; poll ignores negative descriptors.
                fds[1].fd = -1;
            }
            if read_signals(self.signals) && session::is_wanted() {
                return Ok((exit::CODE, 0));
            }
            let mut status = None;
            while let Some((ended, how)) = sys::any_ended() {
                if ended == self.pid {
                    status = Some(how);
                }
            }
            if let Some(status) = status {
                self.drain();
                if channel.u32(word::STAGE) < stage::STARTED {
                    return Err(format!("the process that was to become the test ended with status {status:#x}"));
                }
                return Ok(describe(status));
            }
        }
    }

    /// Copies what can be read now; false when the pipe was closed.
    fn drain(&mut self) -> bool {
        let mut buffer = [0; 4096];
        loop {
            match self.output.read(&mut buffer) {
                Ok(0) => return false,
                Ok(length) => self.log.append(&buffer[..length]),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => return true,
            }
        }
    }
}

/// In the child: to the wait point, through it, and on as the test binary; or as a session. Returns when that could not
/// be, or the session has ended.
fn become_test(channel: &Channel, stop: &StopDevice, output: &PipeWriter) -> Result<(), Failure> {
    let program = c_string(TEST_BINARY)?;
    let environment = [
        c_string(&format!("{GUEST_VARIABLE}={}", channel.address()))?,
        c_string("HOME=/root")?,
        c_string("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")?,
        c_string("RUST_BACKTRACE=1")?,
    ];
    let arguments: [&CStr; 1] = [&program];
    let environment: Vec<&CStr> = environment.iter().map(CString::as_c_str).collect();
    let nothing = File::open("/dev/null").map_err(|e| format!("/dev/null: {e}"))?;
    let output = output.as_raw_fd();
    // The channel was opened before the register, so neither has the other's number here.
    let passed = [(nothing.as_raw_fd(), 0), (output, 1), (output, 2), (channel.fd(), CHANNEL_FD), (stop.fd(), STOP_FD)];
    for (from, to) in passed {
        sys::pass_on(from, to).map_err(|e| format!("descriptor {to}: {e}"))?;
    }
    std::env::set_current_dir("/").map_err(|e| format!("/: {e}"))?;
    let ahead = channel.map(PAYLOAD.offset, MAPPED_AHEAD as usize)?;
    let line = Line::open();

    channel.set_u32(word::STAGE, stage::WAITING);
    sys::sync_all();
    stillness::wait_until_idle();
    stillness::wait_between_timers(sys::monotonic_ns);
    channel.set_u64(word::STOP_TSC, time_stamp());
    stop.stop_machine();
    // A clone's channel holds its work before its first instruction; in the template nobody lets the machine go on.
    while channel.u32(word::RUN) != 1 {
        std::hint::spin_loop();
    }
    channel.set_u64(word::AWAKE_NS, sys::monotonic_ns());
    channel.set_u32(word::STAGE, stage::AWAKE);
    unpack(channel, &ahead)?;
    channel.set_u32(word::STAGE, stage::STARTED);
    if session::is_wanted() {
        return session::run(line, channel.address());
    }
    let error = sys::execute(&program, &arguments, &environment);
    Err(format!("starting {TEST_BINARY}: {error}"))
}

fn unpack(channel: &Channel, ahead: &Mapping) -> Result<(), Failure> {
    match channel.u64(word::PAYLOAD_LEN) {
        length if length <= MAPPED_AHEAD => archive::unpack(ahead),
        length if length <= PAYLOAD.size => archive::unpack(&channel.map(PAYLOAD.offset, length as usize)?),
        length => Err(format!("a payload of {length} bytes is larger than the channel's area of {}", PAYLOAD.size)),
    }
}

fn c_string(text: &str) -> Result<CString, Failure> {
    CString::new(text).map_err(|e| format!("{text}: {e}"))
}

/// Takes all signals that have come; whether one of them asks for the end of the machine.
pub fn read_signals(fd: i32) -> bool {
    use std::os::fd::{FromRawFd as _, IntoRawFd as _};
    // SAFETY: the descriptor stays open: it is taken back before the file would close it.
    let mut file = unsafe { File::from_raw_fd(fd) };
    let mut power = false;
    // `struct signalfd_siginfo`, which begins with the signal's number.
    let mut info = [0; 128];
    while matches!(file.read(&mut info), Ok(1..)) {
        power |= sys::POWER_SIGNALS.contains(&i32::from(info[0]));
    }
    let _ = file.into_raw_fd();
    power
}

fn describe(status: i32) -> (u32, u32) {
    match status & 0x7f {
        0 => (exit::CODE, (status >> 8 & 0xff) as u32),
        signal => (exit::SIGNAL, signal as u32),
    }
}
