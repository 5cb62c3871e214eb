//! A scheduler inside the kernel, switched on and off by writing to files.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use ktstr_model::{SchedulerReport, SwitchLine};

use crate::clock::monotonic_ns;
use crate::error::{GuestError, on_file};

/// A scheduler inside the kernel that has been switched on.
#[derive(Debug)]
pub(crate) struct Builtin {
    disable: Vec<SwitchLine>,
    enabled_after_ns: u64,
}

impl Builtin {
    /// Switches it on. All lines are read before the first is carried out.
    ///
    /// # Errors
    /// When a line is not `echo VALUE > FILE`, or its file does not take the value.
    pub(crate) fn start(enable: &[String], disable: &[String]) -> Result<Self, GuestError> {
        let (enable, disable) = (read(enable)?, read(disable)?);
        let started_ns = monotonic_ns();
        enable.iter().try_for_each(carry_out)?;
        Ok(Self { disable, enabled_after_ns: monotonic_ns() - started_ns })
    }

    /// Switches it off.
    pub(crate) fn stop(self) -> SchedulerReport {
        if let Err(error) = self.disable.iter().try_for_each(carry_out) {
            eprintln!("ktstr: the scheduler was not switched off: {error}");
        }
        SchedulerReport { enabled_after_ns: Some(self.enabled_after_ns), ..SchedulerReport::default() }
    }
}

fn read(lines: &[String]) -> Result<Vec<SwitchLine>, GuestError> {
    lines.iter().map(|line| Ok(SwitchLine::parse(line)?)).collect()
}

fn carry_out(line: &SwitchLine) -> Result<(), GuestError> {
    let SwitchLine { value, file } = line;
    let file = Path::new(file);
    // One write call, as an echo does it: files of the kernel take each write as a whole.
    fs::OpenOptions::new()
        .write(true)
        .open(file)
        .and_then(|mut opened| opened.write_all(format!("{value}\n").as_bytes()))
        .map_err(on_file(format!("write `{value}` to"), file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_on_and_off() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let line = |value: &str| vec![format!("echo {value} > {}", file.path().display())];
        let builtin = Builtin::start(&line("1"), &line("0")).unwrap();
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "1\n");
        assert!(builtin.stop().enabled_after_ns.is_some());
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "0\n");
        let error = Builtin::start(&["echo 1 > /nowhere/at/all".into()], &[]).unwrap_err().to_string();
        assert!(error.starts_with("cannot write `1` to /nowhere/at/all"), "{error}");
        let bad = Builtin::start(&line("1"), &["echo 1 > /x; reboot".into()]).unwrap_err();
        assert!(matches!(bad, GuestError::BuiltinLine(_)), "{bad}");
        assert_eq!(
            fs::read_to_string(file.path()).unwrap(),
            "0\n",
            "nothing is done before all lines are read"
        );
    }
}
