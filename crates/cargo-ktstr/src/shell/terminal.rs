//! The host's terminal while a shell has it: raw, and as it was afterwards, however that comes.

use std::env;
use std::io::{self, stdin};
use std::os::fd::{AsFd, OwnedFd};

use anyhow::{Context as _, Result};
use ktstr_wire::session::Size;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// What programs in the guest take the terminal for where nothing is known of it.
const PLAIN: &str = "dumb";

/// The terminal's size in characters. One that does not tell, as a serial line, counts as a VT100's.
pub fn size() -> Result<Size> {
    let size = tcgetwinsize(stdin()).context("asking for the terminal's size")?;
    let or = |told: u16, usual: u16| if told == 0 { usual } else { told };
    Ok(Size { columns: or(size.ws_col, 80), rows: or(size.ws_row, 24) })
}

/// The terminal's type.
pub fn kind() -> String {
    env::var("TERM")
        .ok()
        .filter(|kind| !kind.is_empty() && !kind.contains('\n'))
        .unwrap_or_else(|| PLAIN.to_owned())
}

/// A terminal in raw mode: each key goes to the guest. Dropping it makes it as it was; when this process is killed, a
/// guard does.
pub struct RawTerminal {
    terminal: OwnedFd,
    saved: Termios,
    guard: Option<Guard>,
}

impl RawTerminal {
    /// Makes standard input's terminal raw.
    pub fn enter() -> Result<Self> {
        let terminal = stdin().as_fd().try_clone_to_owned().context("the terminal")?;
        Self::enter_on(terminal).context("making the terminal raw")
    }

    fn enter_on(terminal: OwnedFd) -> io::Result<Self> {
        let saved = tcgetattr(&terminal)?;
        let guard = Guard::start(&terminal, &saved)?;
        let mut raw = saved.clone();
        raw.make_raw();
        tcsetattr(&terminal, OptionalActions::Now, &raw)?;
        Ok(Self { terminal, saved, guard: Some(guard) })
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.saved);
        self.guard.take().into_iter().for_each(Guard::dismiss);
    }
}

/// A process that makes the terminal as it was when this one ends without having done so.
struct Guard {
    pid: libc::pid_t,
    /// Closed by our end, however it comes.
    alive: OwnedFd,
}

impl Guard {
    fn start(terminal: &OwnedFd, saved: &Termios) -> io::Result<Self> {
        let (ours, alive) = pipe_with(PipeFlags::CLOEXEC)?;
        // SAFETY: the child makes system calls only, and allocates nothing.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                drop(alive);
                watch(&ours, terminal, saved)
            }
            pid => Ok(Self { pid, alive }),
        }
    }

    /// There is nothing to guard any more.
    fn dismiss(self) {
        let _ = rustix::io::write(&self.alive, &[1]);
        // SAFETY: waits for our own child, whose status nobody asks for.
        unsafe { libc::waitpid(self.pid, std::ptr::null_mut(), 0) };
    }
}

/// In the guard: waits for a word or the end.
fn watch(parent: &OwnedFd, terminal: &OwnedFd, saved: &Termios) -> ! {
    // In a session of its own no signal of the terminal's reaches it, and it may set a terminal that is not its own.
    let _ = rustix::process::setsid();
    let mut word = [0; 1];
    let ended = loop {
        match rustix::io::read(parent, &mut word) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other == Ok(0),
        }
    };
    if ended {
        let _ = tcsetattr(terminal, OptionalActions::Now, saved);
    }
    // SAFETY: ends the copy of a process without running what that would run at its end.
    unsafe { libc::_exit(0) }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
    use rustix::termios::LocalModes;

    fn terminal() -> (OwnedFd, OwnedFd) {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let terminal = ioctl_tiocgptpeer(&master, flags).unwrap();
        (master, terminal)
    }

    fn is_raw(terminal: &OwnedFd) -> bool {
        !tcgetattr(terminal).unwrap().local_modes.contains(LocalModes::ICANON)
    }

    #[test]
    fn a_terminal_is_as_before_when_it_is_left() {
        let (_master, terminal) = terminal();
        let raw = RawTerminal::enter_on(terminal.try_clone().unwrap()).unwrap();
        assert!(is_raw(&terminal));
        drop(raw);
        assert!(!is_raw(&terminal));
    }

    #[test]
    fn a_terminal_is_as_before_when_its_process_is_gone() {
        let (_master, terminal) = terminal();
        let mut raw = RawTerminal::enter_on(terminal.try_clone().unwrap()).unwrap();
        let Guard { alive, .. } = raw.guard.take().unwrap();
        std::mem::forget(raw);
        assert!(is_raw(&terminal));
        // What the kernel does for a process that is killed.
        drop(alive);
        let began = Instant::now();
        while is_raw(&terminal) {
            assert!(began.elapsed() < Duration::from_secs(60), "the guard did nothing");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
