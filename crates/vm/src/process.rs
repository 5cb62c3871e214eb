//! QEMU processes that cannot outlive us.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{SendError, Sender, channel};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, getpid, getppid, set_parent_process_death_signal};

use crate::error::VmError;

/// A program to start, with the descriptors that it inherits under the numbers they have here.
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables that it has beside ours.
    pub environment: Vec<(&'static str, OsString)>,
    /// Descriptors it inherits.
    pub inherit: Vec<OwnedFd>,
    /// Where its stderr goes.
    pub stderr: File,
}

type Request = (Launch, Sender<io::Result<Child>>);

/// Starts a program that the kernel kills when we die.
///
/// The death signal follows the *thread* that started the child, so one thread that lives as long as the process starts
/// them all: a test's own thread may end earlier.
pub fn launch(launch: Launch) -> Result<Child, VmError> {
    static SPAWNER: OnceLock<Sender<Request>> = OnceLock::new();
    let program = launch.program.clone();
    let spawner = SPAWNER.get_or_init(|| {
        let (requests, inbox) = channel::<Request>();
        std::thread::Builder::new()
            .name("ktstr-spawner".into())
            .spawn(move || {
                for (launch, reply) in inbox {
                    hand_over(start(launch), &reply);
                }
            })
            .map(|_| requests)
            .unwrap_or_else(|_| channel().0)
    });
    let (reply, answer) = channel();
    let gone = || io::Error::other("the thread that starts QEMU is gone");
    spawner
        .send((launch, reply))
        .map_err(|_| gone())
        .and_then(|()| answer.recv().map_err(|_| gone())?)
        .map_err(VmError::file("starting", program))
}

/// Gives a child to who asked for it. Who is gone has panicked: then the child ends here, to the last trace of it.
fn hand_over(started: io::Result<Child>, reply: &Sender<io::Result<Child>>) {
    if let Err(SendError(Ok(mut child))) = reply.send(started) {
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn start(launch: Launch) -> io::Result<Child> {
    let inherit: Vec<RawFd> = launch.inherit.iter().map(|fd| fd.as_raw_fd()).collect();
    let us = getpid();
    let mut command = Command::new(&launch.program);
    command
        .args(&launch.arguments)
        .envs(launch.environment)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(launch.stderr);
    // A process group of its own: Ctrl-C ends us, and our end ends the machine.
    command.process_group(0);
    // SAFETY: the closure makes async-signal-safe system calls only and allocates nothing.
    unsafe { command.pre_exec(move || prepare(us, &inherit)) };
    command.spawn()
}

fn prepare(parent: Pid, inherit: &[RawFd]) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() != Some(parent) {
        // We died between fork and the line above.
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    for fd in inherit {
        // SAFETY: the launch owns the descriptor, which is open in this copy of the process.
        let fd = unsafe { BorrowedFd::borrow_raw(*fd) };
        fcntl_setfd(fd, FdFlags::empty())?;
    }
    Ok(())
}

/// Ends this process, and with it its machines, when the process that started it ends.
///
/// nextest gives each test a process group of its own, so killing nextest does not reach the tests.
pub fn end_with_parent() {
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::process::{PidfdFlags, pidfd_open};

    let Some(parent) = getppid() else { return };
    let Ok(pidfd) = pidfd_open(parent, PidfdFlags::empty()) else { return };
    let _ = std::thread::Builder::new().name("ktstr-guard".into()).spawn(move || {
        loop {
            match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], None) {
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
                Ok(_) => {
                    eprintln!("ktstr: the process that started this test has ended; so does the test");
                    std::process::exit(1);
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_nobody_takes_leaves_no_zombie() {
        let child = Command::new("sleep").arg("600").spawn().unwrap();
        let trace = format!("/proc/{}", child.id());
        let (reply, answer) = channel();
        drop(answer);
        hand_over(Ok(child), &reply);
        assert!(!std::fs::exists(trace).unwrap());
    }
}
