//! Why the scheduler ended, as its `exit` callback recorded it (`bpf/exit_record.bpf.h`).

use std::ffi::CStr;
use std::fmt;

use libbpf_rs::{MapCore, MapFlags, Result};

/// Kinds from here up are errors of the scheduler (`SCX_EXIT_ERROR` in the kernel's `enum scx_exit_kind`).
const FIRST_ERROR: u32 = 1024;
/// We detached it ourselves (`SCX_EXIT_UNREG`).
const UNREGISTERED: u32 = 64;

const REASON_LEN: usize = 128;
const MESSAGE_LEN: usize = 1024;

/// The kernel's own size of a dump, when a scheduler asks for none.
const KERNEL_DUMP_LEN: u32 = 32 * 1024;

/// Bytes to reserve for a dump when the scheduler asks for `exit_dump_len`; never zero.
pub fn dump_buffer_len(exit_dump_len: u32) -> u32 {
    if exit_dump_len == 0 { KERNEL_DUMP_LEN } else { exit_dump_len }
}

/// The kernel's account of a scheduler's end.
pub struct ExitInfo {
    /// A value of `enum scx_exit_kind`.
    pub kind: u32,
    /// What the scheduler or the kernel gave as a code; 0 for errors.
    pub exit_code: i64,
    /// The kind in words, such as `runnable task stall`.
    pub reason: String,
    /// Details, such as which task stalled; may be empty.
    pub message: String,
    /// The state of all CPUs and of the tasks waiting on them; empty unless the kind is an error.
    pub dump: String,
}

impl ExitInfo {
    /// Reads the record from its two maps; `None` while the scheduler is still in charge.
    pub fn read(record: &impl MapCore, dump: &impl MapCore) -> Result<Option<Self>> {
        let first_look = Record(only_value(record)?);
        if first_look.kind() == 0 {
            return Ok(None);
        }
        // The kind is written last, so what is read after it is complete.
        let record = Record(only_value(record)?);
        Ok(Some(Self {
            kind: record.kind(),
            exit_code: record.exit_code(),
            reason: text(&record.0[12..][..REASON_LEN]),
            message: text(&record.0[12 + REASON_LEN..][..MESSAGE_LEN]),
            dump: text(&only_value(dump)?),
        }))
    }

    /// Whether somebody else than our own detaching ended the scheduler.
    pub fn is_ejection(&self) -> bool {
        self.kind != UNREGISTERED
    }
}

impl fmt::Display for ExitInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind >= FIRST_ERROR && !self.dump.is_empty() {
            writeln!(f, "---- BEGIN SCHEDULER DUMP ----")?;
            writeln!(f, "{}", self.dump.trim_end())?;
            writeln!(f, "---- END SCHEDULER DUMP ----")?;
        }
        // This line looks the same for most sched_ext schedulers.
        write!(f, "EXIT: {}", self.reason)?;
        if !self.message.is_empty() {
            write!(f, " ({})", self.message)?;
        }
        write!(f, "\nexit kind {}, exit code {}", self.kind, self.exit_code)
    }
}

/// The bytes of a `struct exit_record`.
struct Record(Vec<u8>);

impl Record {
    fn exit_code(&self) -> i64 {
        i64::from_ne_bytes(self.bytes(0))
    }

    fn kind(&self) -> u32 {
        u32::from_ne_bytes(self.bytes(8))
    }

    fn bytes<const N: usize>(&self, offset: usize) -> [u8; N] {
        std::array::from_fn(|i| self.0[offset + i])
    }
}

/// The value of a map that holds a program's section, which has a single entry.
fn only_value(map: &impl MapCore) -> Result<Vec<u8>> {
    let value = map.lookup(&0u32.to_ne_bytes(), MapFlags::ANY)?;
    Ok(value.expect("an array map always has its first entry"))
}

fn text(bytes: &[u8]) -> String {
    CStr::from_bytes_until_nul(bytes).unwrap_or_default().to_string_lossy().into_owned()
}
