//! All that is left of a machine when it has stopped.

use ktstr_model::RunReport;
use ktstr_vm::{ChannelReader, Machine, Stop, VmError};
use ktstr_wire::layout::{KERNEL_LOG, MESSAGE, REPORT, SCHEDULER_LOG, TEST_LOG, exit, stage, word};
use ktstr_wire::{LogText, decode};

/// The files of [`Evidence::logs`].
pub(crate) const LOG_FILES: [&str; 4] = ["console.log", "kernel.log", "scheduler.log", "test.log"];

/// The file of [`Evidence::second_report`].
const SECOND_REPORT_FILE: &str = "second-report.json";

/// What the host saw of a run.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Why the machine stopped; `None` while it has not.
    pub stop: Option<Stop>,
    /// How far the guest came, one of `layout::stage`.
    pub stage: u32,
    /// Why the agent could not go on.
    pub message: String,
    /// How the test process ended.
    pub exit: Option<TestExit>,
    /// The report, or why there is none.
    pub report: Option<Result<RunReport, String>>,
    /// The serial console.
    pub console: String,
    /// The kernel's log: as far as the test process could copy it, or all of it, from the console, after a panic.
    pub kernel_log: String,
    /// What the test wrote.
    pub test_log: String,
    /// What the scheduler wrote.
    pub scheduler_log: String,
    /// Why the channel could not be read.
    pub unreadable: Option<String>,
    /// The report, as JSON, of a second run of the same plan that was not equal to this one.
    pub second_report: Option<String>,
}

/// How the test process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestExit {
    /// With this code.
    Code(u32),
    /// By this signal.
    Signal(u32),
}

impl Evidence {
    /// Reads everything that the machine still holds. What cannot be read is left empty and said so.
    pub fn collect(machine: &Machine, stop: Stop) -> Self {
        let mut evidence = Self { stop: Some(stop), ..Self::of_console(machine.console()) };
        if let Err(error) = evidence.read(machine.channel()) {
            evidence.unreadable = Some(error.to_string());
        }
        evidence
    }

    /// Reads what a test process without a machine of its own has left in `channel`, or what it has written so far.
    pub(crate) fn of_process(channel: &ChannelReader, exit: Option<TestExit>) -> Self {
        let mut evidence = Self::default();
        if let Err(error) = evidence.read(channel) {
            evidence.unreadable = Some(error.to_string());
        }
        evidence.exit = exit;
        evidence
    }

    /// The console, the kernel's log, what the scheduler printed and what the test printed, with the files' names; and a
    /// second run's report, if there is one.
    pub(crate) fn logs(&self) -> Vec<(&'static str, &str)> {
        let texts = [&self.console, &self.kernel_log, &self.scheduler_log, &self.test_log];
        let mut logs: Vec<_> = LOG_FILES.into_iter().zip(texts.map(String::as_str)).collect();
        logs.extend(self.second_report.as_deref().map(|report| (SECOND_REPORT_FILE, report)));
        logs
    }

    /// What a machine leaves that stopped before there was anything else.
    pub fn of_console(console: String) -> Self {
        Self { kernel_log: replayed(&console).to_owned(), console, ..Self::default() }
    }

    fn read(&mut self, channel: &ChannelReader) -> Result<(), VmError> {
        self.stage = channel.u32(word::STAGE)?;
        self.message = text(channel.area(MESSAGE, word::MESSAGE_LEN)?);
        if self.kernel_log.is_empty() {
            self.kernel_log = with_gap(channel.log(KERNEL_LOG)?);
        }
        self.test_log = with_gap(channel.log(TEST_LOG)?);
        self.scheduler_log = with_gap(channel.log(SCHEDULER_LOG)?);
        if self.stage == stage::DONE {
            let value = channel.u32(word::EXIT_VALUE)?;
            self.exit = match channel.u32(word::EXIT_KIND)? {
                exit::CODE => Some(TestExit::Code(value)),
                exit::SIGNAL => Some(TestExit::Signal(value)),
                _ => None,
            };
        }
        let report = channel.area(REPORT, word::REPORT_LEN)?;
        if !report.is_empty() {
            self.report = Some(decode("report", &report).map_err(|error| error.to_string()));
        }
        Ok(())
    }
}

/// All messages of a kernel that panicked: the last thing it does is to write them to the console. Empty for any other.
fn replayed(console: &str) -> &str {
    console.rfind("[    0.000000] Linux version").map_or("", |at| &console[at..])
}

/// A log's text, which says so when its beginning is gone.
fn with_gap(log: LogText) -> String {
    match log.lost_bytes {
        0 => log.text,
        lost => format!("[the first {lost} bytes are lost]\n{}", log.text),
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panics_messages_are_taken_from_the_console() {
        let all = "[    0.000000] Linux version 7.3.4\n[    1.2] Kernel panic - not syncing: x\n";
        let console = format!("[    1.2] Kernel panic - not syncing: x\n{all}");
        assert_eq!(Evidence::of_console(console).kernel_log, all);
        assert_eq!(Evidence::of_console("[    1.2] BUG: x\n".into()).kernel_log, "");
    }
}
