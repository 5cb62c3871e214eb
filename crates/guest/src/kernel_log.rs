//! The kernel's messages.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::channel::LogArea;
use crate::error::{GuestError, on_file};

/// Copies all messages since boot into `log` as lines of text, and returns those that concern sched_ext.
///
/// # Errors
/// When the kernel's log cannot be read.
pub(crate) fn collect(kmsg: &Path, log: &mut LogArea) -> Result<Vec<String>, GuestError> {
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(kmsg)
        .map_err(on_file("open", kmsg))?;
    // One read gives one record; the kernel's longest is this long (PRINTK_MESSAGE_MAX).
    let mut record = [0; 8192];
    let mut concerned = Vec::new();
    loop {
        match file.read(&mut record) {
            Ok(0) => return Ok(concerned),
            Ok(len) => {
                let Some(line) = line_of(&String::from_utf8_lossy(&record[..len])) else { continue };
                log.append(line.as_bytes());
                log.append(b"\n");
                if concerns_sched_ext(&line) {
                    concerned.push(line);
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(concerned),
            // Records were overwritten before they could be read; the next read goes on with the oldest there is.
            Err(error) if error.raw_os_error() == Some(libc::EPIPE) => log.append(b"[messages lost]\n"),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(on_file("read", kmsg)(error)),
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
    use std::fs;

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

    #[test]
    fn copies_the_log_into_the_channel() {
        // A plain file gives everything in one read, so one record is all that it can hold.
        let kmsg = tempfile::NamedTempFile::new().unwrap();
        fs::write(kmsg.path(), "6,1,1500000,-;sched_ext: BPF scheduler \"mini\" enabled\n").unwrap();
        let file = channel_file(&order("t"));
        let channel = Channel::open(file.try_clone().unwrap().into(), 0).unwrap();
        let mut log = channel.log("kernel log", layout::KERNEL_LOG).unwrap();
        let line = "[    1.500000] sched_ext: BPF scheduler \"mini\" enabled";
        assert_eq!(collect(kmsg.path(), &mut log).unwrap(), [line]);
        assert_eq!(read_log(&area_of(&file, layout::KERNEL_LOG)).text, format!("{line}\n"));
    }

    proptest! {
        #[test]
        fn no_record_breaks_it(record: String) {
            line_of(&record);
        }
    }
}
