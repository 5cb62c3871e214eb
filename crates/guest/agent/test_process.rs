//! Running the test binary.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use crate::Failure;
use crate::channel::{Channel, Log};
use crate::layout::{CHANNEL_FD, GUEST_VARIABLE, TEST_BINARY, TEST_LOG, exit, stage, word};
use crate::sys::{self, POLLIN, PollFd};

/// Runs the test binary to its end while copying what it writes into the channel. Returns how it ended, as one of
/// `layout::exit` and a value.
pub fn run(channel: &Channel) -> Result<(u32, u32), Failure> {
    let mut log = Log::new(channel, TEST_LOG)?;
    let signals = sys::child_signals()?;
    let (mut output, write_end) = std::io::pipe().map_err(|e| format!("pipe: {e}"))?;
    let channel_fd = channel.fd();
    let mut command = Command::new(TEST_BINARY);
    command
        .env_clear()
        .envs([
            (GUEST_VARIABLE, "1"),
            ("HOME", "/root"),
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            ("RUST_BACKTRACE", "1"),
        ])
        .current_dir("/")
        .stdin(Stdio::null())
        .stderr(write_end.try_clone().map_err(|e| format!("pipe: {e}"))?)
        .stdout(write_end);
    // SAFETY: `prepare_child` makes async-signal-safe calls only.
    unsafe { command.pre_exec(move || sys::prepare_child(channel_fd, CHANNEL_FD)) };
    let child = command.spawn().map_err(|e| format!("starting {TEST_BINARY}: {e}"))?;
    // The command holds the pipe's write ends.
    drop(command);
    channel.set_u32(word::STAGE, stage::STARTED);

    sys::set_nonblocking(output.as_raw_fd());
    let mut fds = [
        PollFd { fd: signals, events: POLLIN, revents: 0 },
        PollFd { fd: output.as_raw_fd(), events: POLLIN, revents: 0 },
    ];
    let pid = child.id() as i32;
    loop {
        sys::wait_readable(&mut fds);
        let open = drain(&mut output, &mut log);
        if !open {
            // A closed pipe is always readable; poll ignores negative descriptors.
            fds[1].fd = -1;
        }
        read_signals(signals);
        let mut status = None;
        while let Some((ended, how)) = sys::any_ended() {
            if ended == pid {
                status = Some(how);
            }
        }
        if let Some(status) = status {
            drain(&mut output, &mut log);
            return Ok(describe(status));
        }
    }
}

/// Copies what can be read now; false when the pipe was closed.
fn drain(output: &mut std::io::PipeReader, log: &mut Log) -> bool {
    let mut buffer = [0; 4096];
    loop {
        match output.read(&mut buffer) {
            Ok(0) => return false,
            Ok(length) => log.append(&buffer[..length]),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(_) => return true,
        }
    }
}

fn read_signals(fd: i32) {
    use std::os::fd::{FromRawFd as _, IntoRawFd as _};
    // SAFETY: the descriptor stays open: it is taken back before the file would close it.
    let mut file = unsafe { File::from_raw_fd(fd) };
    let mut info = [0; 128];
    while matches!(file.read(&mut info), Ok(1..)) {}
    let _ = file.into_raw_fd();
}

fn describe(status: i32) -> (u32, u32) {
    match status & 0x7f {
        0 => (exit::CODE, (status >> 8 & 0xff) as u32),
        signal => (exit::SIGNAL, signal as u32),
    }
}
