//! A session: somebody at the host works in the guest, at a terminal or through pipes.
//!
//! This process relays between the line to the host and the shell: a pseudo-terminal, whose size follows the host's, or
//! three pipes. The shell leads a session of the kernel's kind, so job control works in it.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, PipeReader, Read, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::Failure;
use crate::layout::{CHANNEL_FD, STOP_FD};
use crate::session_wire::{Kind, PORT, REQUEST_FILE, Reassembly, Request, SCRIPT_FILE, SHELL, Size, VARIABLE, frames};
use crate::sys::{self, POLLIN, POLLOUT, PollFd};
use crate::test_process::read_signals;

const O_NONBLOCK: i32 = 0o4000;
/// A shell's code for a program that cannot be run.
const CANNOT_RUN: i32 = 127;
/// Read in one go.
const CHUNK: usize = 4096;
/// Chunks of output that are still passed on when the shell has ended: what it leaves behind may write for ever.
const LAST_CHUNKS: usize = 256;

/// Whether the payload asks for a session.
pub fn is_wanted() -> bool {
    Path::new(REQUEST_FILE).exists()
}

/// The line to the host.
pub struct Line(File);

impl Line {
    /// Opens it; none in machines without one.
    pub fn open() -> Option<Self> {
        let ports = fs::read_dir("/sys/class/virtio-ports").ok()?;
        let port = ports.flatten().find(|port| sys::read_line(port.path().join("name")).as_deref() == Some(PORT))?;
        let device = Path::new("/dev").join(port.file_name());
        OpenOptions::new().read(true).write(true).open(device).ok().map(Self)
    }

    fn send(&mut self, kind: Kind, payload: &[u8]) -> Result<(), Failure> {
        self.0.write_all(&frames(kind, payload)).map_err(|e| format!("writing to the host: {e}"))
    }
}

/// Runs the session to its end and tells the host how it ended.
pub fn run(line: Option<Line>, channel_address: u64) -> Result<(), Failure> {
    let mut line = line.ok_or("the kernel has no line to the host: a shell needs CONFIG_VIRTIO_CONSOLE and CONFIG_VIRTIO_PCI built in")?;
    let text = fs::read_to_string(REQUEST_FILE).map_err(|e| format!("{REQUEST_FILE}: {e}"))?;
    let request = Request::parse(&text).map_err(|line| format!("{REQUEST_FILE}: `{line}`"))?;
    let shell = Shell::start(&request, channel_address)?;
    let kernel_log = if request.kernel_log { Some(open_kernel_log()?) } else { None };
    let code = Relay { line: &mut line, shell, kernel_log, input: Vec::new(), input_ended: false }.run()?;
    line.send(Kind::End, &code.to_le_bytes())
}

/// The shell's process and our ends of what it reads and writes.
struct Shell {
    pid: i32,
    input: Option<File>,
    output: Option<File>,
    error: Option<File>,
    /// Of a terminal: its master, whose size is set.
    master: Option<RawFd>,
}

impl Shell {
    fn start(request: &Request, channel_address: u64) -> Result<Self, Failure> {
        let mut environment = vec![
            format!("{VARIABLE}={channel_address}"),
            "HOME=/root".to_owned(),
            "USER=root".to_owned(),
            format!("SHELL={SHELL}"),
            "PATH=/ktstr/bin:/include-files:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
            "PS1=guest:\\w\\$ ".to_owned(),
        ];
        let Some((size, kind)) = &request.terminal else { return Self::on_pipes(environment) };
        environment.push(format!("TERM={kind}"));
        Self::on_terminal(*size, environment)
    }

    fn on_terminal(size: Size, environment: Vec<String>) -> Result<Self, Failure> {
        let master = OpenOptions::new().read(true).write(true).custom_flags(O_NONBLOCK).open("/dev/ptmx");
        let master = master.map_err(|e| format!("/dev/ptmx: {e}"))?;
        let fd = master.as_raw_fd();
        let terminal = sys::terminal_of(fd).map_err(|e| format!("a pseudo-terminal: {e}"))?;
        sys::resize(fd, size.columns, size.rows);
        let ends = [terminal.as_raw_fd(); 3];
        let pid = start_shell(ends, Some(terminal.as_raw_fd()), &environment)?;
        let input = master.try_clone().map_err(|e| format!("a pseudo-terminal: {e}"))?;
        Ok(Self { pid, input: Some(input), output: Some(master), error: None, master: Some(fd) })
    }

    fn on_pipes(environment: Vec<String>) -> Result<Self, Failure> {
        let pipe = || std::io::pipe().map_err(|e| format!("pipe: {e}"));
        let ((input_end, input), (output, output_end), (error, error_end)) = (pipe()?, pipe()?, pipe()?);
        let ends = [input_end.as_raw_fd(), output_end.as_raw_fd(), error_end.as_raw_fd()];
        let pid = start_shell(ends, None, &environment)?;
        let file = |end: OwnedFd| {
            sys::set_nonblocking(end.as_raw_fd());
            Some(File::from(end))
        };
        let reader = |end: PipeReader| file(end.into());
        Ok(Self { pid, input: file(input.into()), output: reader(output), error: reader(error), master: None })
    }
}

/// Starts the shell on the script, with these descriptors as its standard ones.
fn start_shell(ends: [RawFd; 3], terminal: Option<RawFd>, environment: &[String]) -> Result<i32, Failure> {
    let c_string = |text: &str| CString::new(text).map_err(|e| format!("{text}: {e}"));
    let program = c_string(SHELL)?;
    let script = c_string(SCRIPT_FILE)?;
    let environment = environment.iter().map(|text| c_string(text)).collect::<Result<Vec<_>, _>>()?;
    sys::fork_child(|| {
        let become_shell = || -> std::io::Error {
            let connected = terminal.map_or(Ok(()), sys::lead_session).and_then(|()| {
                ends.iter().zip(0..).try_for_each(|(end, number)| sys::pass_on(*end, number))
            });
            if let Err(error) = connected {
                return error;
            }
            // The test process's, which this is not.
            [CHANNEL_FD, STOP_FD].into_iter().for_each(sys::close_raw);
            sys::let_pipes_break();
            let environment: Vec<_> = environment.iter().map(CString::as_c_str).collect();
            sys::execute(&program, &[&program, &script], &environment)
        };
        eprintln!("ktstr agent: starting {SHELL}: {}", become_shell());
        std::process::exit(CANNOT_RUN);
    })
}

fn open_kernel_log() -> Result<File, Failure> {
    let opened = OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open("/dev/kmsg");
    opened.map_err(|e| format!("/dev/kmsg: {e}"))
}

struct Relay<'a> {
    line: &'a mut Line,
    shell: Shell,
    kernel_log: Option<File>,
    /// What the shell has not taken yet.
    input: Vec<u8>,
    input_ended: bool,
}

impl Relay<'_> {
    /// Relays until the shell ends; returns its exit code as a shell gives it: 128 and the signal's number after a signal.
    fn run(mut self) -> Result<u32, Failure> {
        let signals = sys::signal_descriptor(&[sys::SIGCHLD])?;
        let mut reassembly = Reassembly::default();
        loop {
            let status = sys::any_ended().filter(|(pid, _)| *pid == self.shell.pid);
            if let Some((_, status)) = status {
                self.pass_output(LAST_CHUNKS)?;
                return Ok(match status & 0x7f {
                    0 => (status >> 8 & 0xff) as u32,
                    signal => 128 + signal as u32,
                });
            }
            // Typed ahead of a shell that does not read: the host waits, and sees that it does.
            let line_events = if self.input.is_empty() { POLLIN } else { 0 };
            let input_events = if self.input.is_empty() { 0 } else { POLLOUT };
            let entry = |file: Option<RawFd>, events: i16| {
                PollFd { fd: file.filter(|_| events != 0).unwrap_or(-1), events, revents: 0 }
            };
            let fd = |file: &Option<File>| file.as_ref().map(|file| file.as_raw_fd());
            let mut fds = [
                entry(Some(signals), POLLIN),
                entry(Some(self.line.0.as_raw_fd()), line_events),
                entry(fd(&self.shell.input), input_events),
                entry(fd(&self.shell.output), POLLIN),
                entry(fd(&self.shell.error), POLLIN),
                entry(fd(&self.kernel_log), POLLIN),
            ];
            sys::wait_ready(&mut fds);
            read_signals(signals);
            // One chunk each, so that a Ctrl-C is not kept waiting by a program that never stops writing.
            self.pass_output(1)?;
            if fds[1].revents != 0 {
                self.take_frames(&mut reassembly)?;
            }
            self.feed_shell();
        }
    }

    fn pass_output(&mut self, most: usize) -> Result<(), Failure> {
        pass(&mut self.shell.output, Kind::Output, self.line, most)?;
        pass(&mut self.shell.error, Kind::Error, self.line, most)?;
        let Some(kernel_log) = &mut self.kernel_log else { return Ok(()) };
        let mut record = [0; 8192];
        // Each read gives one record; EPIPE says that some were overwritten, EAGAIN that there is none.
        loop {
            match kernel_log.read(&mut record) {
                Ok(length) => self.line.send(Kind::KernelLog, &record[..length])?,
                Err(e) if e.kind() == ErrorKind::BrokenPipe => {}
                Err(_) => return Ok(()),
            }
        }
    }

    fn take_frames(&mut self, reassembly: &mut Reassembly) -> Result<(), Failure> {
        let mut bytes = [0; CHUNK];
        let length = self.line.0.read(&mut bytes).map_err(|e| format!("reading from the host: {e}"))?;
        if length == 0 {
            return Err("the host has closed the line".to_owned());
        }
        reassembly.push(&bytes[..length]);
        while let Some((kind, payload)) = reassembly.next_frame()? {
            match (kind, self.shell.master, Size::from_bytes(&payload)) {
                (Kind::Input, ..) => self.input.extend(payload),
                (Kind::InputEnd, ..) => self.input_ended = true,
                (Kind::Resize, Some(master), Some(size)) => sys::resize(master, size.columns, size.rows),
                _ => return Err(format!("the host has sent {kind:?}")),
            }
        }
        Ok(())
    }

    /// Gives the shell what it takes at once.
    fn feed_shell(&mut self) {
        while let (Some(input), false) = (&mut self.shell.input, self.input.is_empty()) {
            match input.write(&self.input) {
                Ok(written) => drop(self.input.drain(..written)),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                // It does not want any more.
                Err(_) => self.shell.input = None,
            }
        }
        if self.shell.input.is_none() {
            self.input.clear();
        }
        if self.input_ended && self.input.is_empty() && self.shell.master.is_none() {
            self.shell.input = None;
        }
    }
}

/// Sends at most so many chunks of what can be read now; forgets a file that has ended.
fn pass(from: &mut Option<File>, kind: Kind, line: &mut Line, most: usize) -> Result<(), Failure> {
    let mut bytes = [0; CHUNK];
    for _ in 0..most {
        let Some(file) = from else { return Ok(()) };
        match file.read(&mut bytes) {
            Ok(length @ 1..) => line.send(kind, &bytes[..length])?,
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            // The end of a pipe, or of a terminal that nobody has open any more.
            Ok(_) | Err(_) => *from = None,
        }
    }
    Ok(())
}
