//! A session: somebody at a shell in the guest. What the agent is asked for, and what travels over the line.
//!
//! The line is a virtio serial port, which carries bytes both ways without a word about what they are; so they travel in
//! frames. Like `layout`, this file has no dependencies, because the boot agent includes it.

/// The payload has its request here; it is what tells the agent that a session is wanted instead of a test.
pub const REQUEST_FILE: &str = "/ktstr/session";
/// The script that the shell runs; the session ends with it.
pub const SCRIPT_FILE: &str = "/ktstr/script";
/// The shell.
pub const SHELL: &str = "/bin/sh";
/// The line's name among the guest's virtio serial ports.
pub const PORT: &str = "ktstr.session";
/// The environment variable of everything in a session, which tells a test binary there that it may be one of the session's
/// commands. Its value is the channel's physical address.
pub const VARIABLE: &str = "KTSTR_IN_SHELL";

/// A terminal's size in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Characters in a line.
    pub columns: u16,
    /// Lines.
    pub rows: u16,
}

impl Size {
    /// As the payload of a [`Kind::Resize`] frame.
    pub fn to_bytes(self) -> [u8; 4] {
        let ([a, b], [c, d]) = (self.columns.to_le_bytes(), self.rows.to_le_bytes());
        [a, b, c, d]
    }

    /// What [`to_bytes`](Self::to_bytes) made; `None` when these are not its bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let &[a, b, c, d] = bytes else { return None };
        Some(Self { columns: u16::from_le_bytes([a, b]), rows: u16::from_le_bytes([c, d]) })
    }
}

/// What a session is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// A terminal of this size and type (`TERM`); without one, the script runs on pipes.
    pub terminal: Option<(Size, String)>,
    /// The kernel's messages are sent too.
    pub kernel_log: bool,
}

impl Request {
    /// As the text of [`REQUEST_FILE`].
    pub fn to_text(&self) -> String {
        let terminal = self
            .terminal
            .as_ref()
            .map(|(size, kind)| format!("terminal {} {} {kind}\n", size.columns, size.rows));
        let kernel_log = if self.kernel_log { "kernel-log\n" } else { "" };
        terminal.unwrap_or_default() + kernel_log
    }

    /// Reads what [`to_text`](Self::to_text) wrote; the error is the line that it did not.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut request = Self { terminal: None, kernel_log: false };
        for line in text.lines() {
            let mut words = line.splitn(4, ' ');
            match (words.next(), words.next(), words.next(), words.next()) {
                (Some("kernel-log"), None, None, None) => request.kernel_log = true,
                (Some("terminal"), Some(columns), Some(rows), Some(kind)) => {
                    let number = |text: &str| text.parse().map_err(|_| line.to_owned());
                    let size = Size { columns: number(columns)?, rows: number(rows)? };
                    request.terminal = Some((size, kind.to_owned()));
                }
                _ => return Err(line.to_owned()),
            }
        }
        Ok(request)
    }
}

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// To the guest: what was typed, or comes from standard input.
    Input = 1,
    /// To the guest: standard input has ended.
    InputEnd = 2,
    /// To the guest: the terminal has another [`Size`].
    Resize = 3,
    /// To the host: the terminal's or standard output.
    Output = 4,
    /// To the host: standard error.
    Error = 5,
    /// To the host: a line of the kernel's log.
    KernelLog = 6,
    /// To the host: the session has ended with this exit code, a `u32`. The last frame.
    End = 7,
}

impl Kind {
    const ALL: [Self; 7] =
        [Self::Input, Self::InputEnd, Self::Resize, Self::Output, Self::Error, Self::KernelLog, Self::End];
}

/// The longest payload of a frame.
pub const LONGEST: usize = 16 << 10;
const HEADER: usize = 5;

/// A frame: its kind, the length of its payload, and that. Longer payloads than [`LONGEST`] make several frames.
pub fn frames(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + HEADER);
    let mut add = |part: &[u8]| {
        bytes.push(kind as u8);
        bytes.extend((part.len() as u32).to_le_bytes());
        bytes.extend(part);
    };
    if payload.is_empty() {
        add(payload);
    }
    payload.chunks(LONGEST).for_each(&mut add);
    bytes
}

/// Puts the pieces in which frames arrive together again.
#[derive(Debug, Default)]
pub struct Reassembly {
    bytes: Vec<u8>,
}

impl Reassembly {
    /// Takes what has arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame; the error says what arrived that is no frame.
    pub fn next_frame(&mut self) -> Result<Option<(Kind, Vec<u8>)>, String> {
        let Some((header, rest)) = self.bytes.split_at_checked(HEADER) else { return Ok(None) };
        let length = u32::from_le_bytes([header[1], header[2], header[3], header[4]]) as usize;
        let kind = Kind::ALL.into_iter().find(|kind| *kind as u8 == header[0]);
        let Some(kind) = kind.filter(|_| length <= LONGEST) else {
            return Err(format!("a frame of kind {} with {length} bytes", header[0]));
        };
        let Some(payload) = rest.get(..length) else { return Ok(None) };
        let payload = payload.to_vec();
        self.bytes.drain(..HEADER + length);
        Ok(Some((kind, payload)))
    }
}
