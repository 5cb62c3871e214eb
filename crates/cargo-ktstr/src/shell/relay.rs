//! Between this process's standard streams and the line to the guest.

use std::io::{self, ErrorKind, IsTerminal as _, Read as _, Write, stderr, stdin, stdout};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use ktstr_vm::Machine;
use ktstr_wire::session::{Kind, Reassembly, frames};
use rustix::event::{PollFd, PollFlags, poll};

use super::outcome::Outcome;
use super::signals::Signals;
use super::terminal;

/// Input waits for the guest from here on.
const ENOUGH: usize = 64 << 10;
/// Ctrl-].
const LEAVE: u8 = 0x1d;
const LEAVE_TIMES: u32 = 3;
const LEAVE_WITHIN: Duration = Duration::from_secs(1);
/// The code of a program that a closed pipe ended, as a shell has it.
const PIPE_CLOSED: u8 = 128 + libc::SIGPIPE as u8;

/// A session's host end.
pub struct Relay {
    line: UnixStream,
    from_guest: Reassembly,
    to_guest: Vec<u8>,
    /// Whether standard input is read.
    input_open: bool,
    terminal: bool,
    leave: Leave,
}

/// Which of the things that are waited for can be done now.
struct Ready {
    signal: bool,
    stopped: bool,
    line: bool,
    input: bool,
}

impl Relay {
    /// A session at a terminal, or of a command, which reads standard input unless that is a terminal.
    pub fn new(line: UnixStream, terminal: bool) -> Result<Self> {
        line.set_nonblocking(true).context("the line to the guest")?;
        let input_open = terminal || !stdin().is_terminal();
        let to_guest = if input_open { Vec::new() } else { frames(Kind::InputEnd, &[]) };
        let (from_guest, leave) = (Reassembly::default(), Leave::default());
        Ok(Self { line, from_guest, to_guest, input_open, terminal, leave })
    }

    /// Relays until the session ends.
    pub fn run(mut self, machine: &mut Machine, signals: &Signals) -> Result<Outcome> {
        loop {
            let ready = self.wait(machine, signals)?;
            if ready.signal
                && let Some(signal) = self.take_signals(signals)?
            {
                return Ok(Outcome::Signal(signal));
            }
            if ready.input && self.take_input()? {
                return Ok(Outcome::Left);
            }
            self.send()?;
            // What the guest wrote before it stopped comes first.
            let stop = if ready.stopped { machine.stops_within(Duration::from_millis(1))? } else { None };
            if (ready.line || stop.is_some())
                && let Some(outcome) = self.receive()?
            {
                return Ok(outcome);
            }
            if let Some(stop) = stop {
                return Ok(Outcome::of_stop(&stop, machine));
            }
        }
    }

    fn wait(&self, machine: &Machine, signals: &Signals) -> Result<Ready> {
        let input = stdin();
        let line = if self.to_guest.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
        let mut waited_for = vec![
            PollFd::new(signals, PollFlags::IN),
            PollFd::new(machine.control(), PollFlags::IN),
            PollFd::new(&self.line, line),
        ];
        if self.input_open && self.to_guest.len() < ENOUGH {
            waited_for.push(PollFd::new(&input, PollFlags::IN));
        }
        match poll(&mut waited_for, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).context("waiting for guest and terminal"),
        }
        let is_ready = |index: usize| waited_for.get(index).is_some_and(|one| !one.revents().is_empty());
        Ok(Ready { signal: is_ready(0), stopped: is_ready(1), line: is_ready(2), input: is_ready(3) })
    }

    /// The signal that asks for the end, if one does; another size goes to the guest.
    fn take_signals(&mut self, signals: &Signals) -> Result<Option<u8>> {
        while let Some(signal) = signals.next() {
            if signal != libc::SIGWINCH {
                return Ok(Some(signal as u8));
            }
            if self.terminal {
                self.to_guest.extend(frames(Kind::Resize, &terminal::size()?.to_bytes()));
            }
        }
        Ok(None)
    }

    /// Reads what was typed; whether it is the way out.
    fn take_input(&mut self) -> Result<bool> {
        let mut bytes = [0; 4096];
        let length = match stdin().lock().read(&mut bytes) {
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(false),
            // A terminal that was hung up.
            Err(error) if error.raw_os_error() == Some(libc::EIO) => 0,
            Err(error) => return Err(error).context("reading standard input"),
        };
        if length == 0 {
            self.input_open = false;
            self.to_guest.extend(frames(Kind::InputEnd, &[]));
            return Ok(false);
        }
        self.to_guest.extend(frames(Kind::Input, &bytes[..length]));
        Ok(self.terminal && self.leave.typed(&bytes[..length], Instant::now()))
    }

    /// Sends what the line takes at once.
    fn send(&mut self) -> Result<()> {
        while !self.to_guest.is_empty() {
            match self.line.write(&self.to_guest) {
                Ok(written) => drop(self.to_guest.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // QEMU has ended, which its control socket tells more about.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => self.to_guest.clear(),
                Err(error) => return Err(error).context("writing to the guest"),
            }
        }
        Ok(())
    }

    /// Passes on what has come from the guest; the end when it is among it.
    fn receive(&mut self) -> Result<Option<Outcome>> {
        let mut bytes = [0; 64 << 10];
        loop {
            match self.line.read(&mut bytes) {
                Ok(0) => return Ok(None),
                Ok(length) => self.from_guest.push(&bytes[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(error).context("reading from the guest"),
            }
            while let Some((kind, payload)) = self.next_frame()? {
                let written = match kind {
                    Kind::Output => write_all(&mut stdout().lock(), &payload),
                    Kind::Error => write_all(&mut stderr().lock(), &payload),
                    Kind::KernelLog => {
                        let end = if self.terminal { "\r\n" } else { "\n" };
                        write_all(&mut stderr().lock(), (kernel_line(&payload) + end).as_bytes())
                    }
                    Kind::End => return Ok(Some(end_of(&payload))),
                    Kind::Input | Kind::InputEnd | Kind::Resize => continue,
                };
                match written {
                    Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                        return Ok(Some(Outcome::Ended(PIPE_CLOSED)));
                    }
                    other => other.context("writing what the guest wrote")?,
                }
            }
        }
    }

    fn next_frame(&mut self) -> Result<Option<(Kind, Vec<u8>)>> {
        self.from_guest
            .next_frame()
            .map_err(|what| anyhow!("the guest sent what is no part of a session: {what}"))
    }
}

fn write_all(output: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    output.write_all(bytes)?;
    output.flush()
}

fn end_of(payload: &[u8]) -> Outcome {
    match payload.try_into().map(u32::from_le_bytes).map(u8::try_from) {
        Ok(Ok(code)) => Outcome::Ended(code),
        _ => Outcome::Lost("the guest told no exit code".to_owned()),
    }
}

/// A record of `/dev/kmsg` (`PRIORITY,NUMBER,MICROSECONDS,FLAGS;TEXT` and lines with its device) as `dmesg` shows it.
fn kernel_line(record: &[u8]) -> String {
    let record = String::from_utf8_lossy(record);
    let (facts, text) = record.split_once(';').unwrap_or_default();
    let microseconds: u64 = facts.split(',').nth(2).and_then(|text| text.parse().ok()).unwrap_or(0);
    let text = text.lines().next().unwrap_or_default();
    format!("[{:5}.{:06}] {text}", microseconds / 1_000_000, microseconds % 1_000_000)
}

/// How often the way out was typed.
#[derive(Debug, Default)]
struct Leave {
    times: u32,
    began: Option<Instant>,
}

impl Leave {
    /// Takes what was typed at `now`; whether the way out is complete.
    fn typed(&mut self, bytes: &[u8], now: Instant) -> bool {
        for byte in bytes {
            if *byte != LEAVE {
                self.times = 0;
                continue;
            }
            if self.times == 0 || self.began.is_none_or(|began| now - began > LEAVE_WITHIN) {
                *self = Self { times: 0, began: Some(now) };
            }
            self.times += 1;
        }
        self.times >= LEAVE_TIMES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_out_is_three_times_in_a_row_within_a_second() {
        let now = Instant::now();
        let typed = |texts: &[(&[u8], u64)]| {
            let mut leave = Leave::default();
            let at = |ms| now + Duration::from_millis(ms);
            texts.iter().fold(false, |left, (text, ms)| left | leave.typed(text, at(*ms)))
        };
        assert!(typed(&[(b"\x1d\x1d\x1d", 0)]));
        assert!(typed(&[(b"\x1d", 0), (b"\x1d", 400), (b"\x1d", 900)]));
        assert!(!typed(&[(b"\x1d", 0), (b"\x1d", 400), (b"\x1d", 1500)]));
        assert!(!typed(&[(b"\x1d\x1d", 0), (b"a\x1d", 10)]));
    }

    #[test]
    fn records_of_the_kernel_s_log_read_as_in_dmesg() {
        let record = b"6,339,5140900,-;virtio_net virtio0: up\n SUBSYSTEM=virtio\n DEVICE=+virtio:virtio0\n";
        assert_eq!(kernel_line(record), "[    5.140900] virtio_net virtio0: up");
        assert_eq!(kernel_line(b"nonsense"), "[    0.000000] ");
    }

    #[test]
    fn an_end_has_a_code() {
        assert_eq!(end_of(&3u32.to_le_bytes()), Outcome::Ended(3));
        assert!(matches!(end_of(&[1]), Outcome::Lost(_)));
        assert!(matches!(end_of(&300u32.to_le_bytes()), Outcome::Lost(_)));
    }
}
