//! How a session can end.

use ktstr_vm::{Machine, Stop};
use ktstr_wire::layout::{MESSAGE, TEST_LOG, stage, word};

/// The code of a session that somebody broke off, as a shell has it after a Ctrl-C.
pub const INTERRUPTED: u8 = 130;
/// Lines of the console that are shown after a panic: the trace and what came before it.
const LAST_LINES: usize = 40;

/// How a session ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The shell or the command did, with this code.
    Ended(u8),
    /// Somebody turned the guest off.
    PoweredOff,
    /// Somebody typed the way out.
    Left,
    /// A signal asked us to end.
    Signal(u8),
    /// The guest did, in another way than it should: in words.
    Lost(String),
}

impl Outcome {
    /// What it means that a machine stopped before its session's end was told.
    pub fn of_stop(stop: &Stop, machine: &Machine) -> Self {
        let console = machine.console();
        match (stop, machine.stage()) {
            (Stop::Guest, stage::DONE) => Self::PoweredOff,
            (Stop::Guest, stage::FAILED) => {
                let message = machine.channel().area(MESSAGE, word::MESSAGE_LEN).unwrap_or_default();
                Self::Lost(format!("the guest could not go on: {}", String::from_utf8_lossy(&message)))
            }
            (Stop::Shutdown(reason), _) if reason == "guest-shutdown" => Self::PoweredOff,
            (Stop::Shutdown(_) | Stop::Guest, _) if console.contains("Kernel panic") => Self::Lost(format!(
                "the guest's kernel panicked; its console ends with\n{}",
                last_lines(&console)
            )),
            (Stop::Shutdown(reason), _) => {
                Self::Lost(format!("the guest is gone ({reason}): it cannot be started again"))
            }
            (Stop::InternalError, _) => Self::Lost("QEMU stopped with an internal error of KVM".to_owned()),
            (Stop::Gone(said), _) => Self::Lost(format!("QEMU ended: {said}")),
            (Stop::Guest | Stop::Deadline(_), _) => {
                let (log, console) = (machine.log(TEST_LOG), last_lines(&console));
                Self::Lost(format!("the guest stopped without a word; the last of its logs:\n{log}{console}"))
            }
        }
    }
}

/// The end of a console's text, as far as a person wants to read.
fn last_lines(console: &str) -> String {
    let lines: Vec<&str> = console.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let first = lines.len().saturating_sub(LAST_LINES);
    lines[first..].iter().map(|line| format!("  {line}\n")).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_s_end_is_short_and_without_empty_lines() {
        let console: String = (0..100).map(|number| format!("line {number}\r\n\r\n")).collect();
        let last = last_lines(&console);
        assert_eq!(last.lines().count(), LAST_LINES);
        assert!(last.starts_with("  line 60\n") && last.ends_with("  line 99"), "{last}");
        assert_eq!(last_lines(""), "");
    }
}
