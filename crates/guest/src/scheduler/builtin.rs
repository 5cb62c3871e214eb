//! A scheduler inside the kernel, switched on and off by writing to files.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ktstr_model::SchedulerReport;

use crate::clock::monotonic_ns;
use crate::error::{GuestError, on_file};

/// A scheduler inside the kernel that has been switched on.
#[derive(Debug)]
pub(crate) struct Builtin {
    disable: Vec<Echo>,
    enabled_after_ns: u64,
}

impl Builtin {
    /// Switches it on. All lines are read before the first is carried out.
    ///
    /// # Errors
    /// When a line is not `echo VALUE > FILE`, or its file does not take the value.
    pub(crate) fn start(enable: &[String], disable: &[String]) -> Result<Self, GuestError> {
        let enable = enable.iter().map(|line| Echo::parse(line)).collect::<Result<Vec<Echo>, _>>()?;
        let disable = disable.iter().map(|line| Echo::parse(line)).collect::<Result<Vec<Echo>, _>>()?;
        let started_ns = monotonic_ns();
        enable.iter().try_for_each(Echo::carry_out)?;
        Ok(Self { disable, enabled_after_ns: monotonic_ns() - started_ns })
    }

    /// Switches it off.
    pub(crate) fn stop(self) -> SchedulerReport {
        if let Err(error) = self.disable.iter().try_for_each(Echo::carry_out) {
            eprintln!("ktstr: the scheduler was not switched off: {error}");
        }
        SchedulerReport { enabled_after_ns: Some(self.enabled_after_ns), ..SchedulerReport::default() }
    }
}

/// One line `echo VALUE > FILE`.
#[derive(Debug, PartialEq, Eq)]
struct Echo {
    value: String,
    file: PathBuf,
}

impl Echo {
    /// Reads a line. The value may be in single or double quotes. Nothing else that a shell knows is understood, and
    /// what a shell would do something about is refused.
    fn parse(line: &str) -> Result<Self, GuestError> {
        let error = |why| GuestError::BuiltinLine { line: line.to_owned(), why };
        let rest =
            line.trim().strip_prefix("echo ").ok_or_else(|| error("it does not begin with `echo `"))?;
        let (value, file) = rest.rsplit_once('>').ok_or_else(|| error("it has no `>`"))?;
        let file = Path::new(file.trim());
        let plain =
            |text: &str| !text.contains(['\'', '"', '$', '`', '\\', '|', '&', ';', '<', '>', '*', '?', '#']);
        let plain_file = file.to_str().is_some_and(|file| plain(file) && !file.contains(char::is_whitespace));
        if !file.is_absolute() || !plain_file {
            return Err(error("what follows `>` is not one plain absolute path"));
        }
        let value = value.trim();
        let quoted = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
        let value = match (quoted('\''), quoted('"')) {
            (Some(inner), _) if !inner.contains('\'') => inner.to_owned(),
            (_, Some(inner)) if !inner.contains(['"', '$', '`', '\\']) => inner.to_owned(),
            (None, None) if plain(value) => value.split_whitespace().collect::<Vec<_>>().join(" "),
            _ => {
                return Err(error(
                    "the value needs a shell; only plain words or one quoted text are possible",
                ));
            }
        };
        if ["-n", "-e", "-E"].iter().any(|option| value.split(' ').next() == Some(option)) {
            return Err(error("options of `echo` are not possible"));
        }
        Ok(Self { value, file: file.into() })
    }

    fn carry_out(&self) -> Result<(), GuestError> {
        let Self { value, file } = self;
        // One write call, as an echo does it: files of the kernel take each write as a whole.
        fs::OpenOptions::new()
            .write(true)
            .open(file)
            .and_then(|mut opened| opened.write_all(format!("{value}\n").as_bytes()))
            .map_err(on_file(format!("write `{value}` to"), file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_plain_and_quoted_values() {
        let echo = |value: &str| Echo { value: value.into(), file: "/sys/x".into() };
        for (line, value) in [
            ("echo 1 > /sys/x", "1"),
            ("  echo  -1  >/sys/x ", "-1"),
            ("echo NO_GENTLE   mode > /sys/x", "NO_GENTLE mode"),
            ("echo 'a  b; > c' > /sys/x", "a  b; > c"),
            ("echo \"it's\" > /sys/x", "it's"),
            ("echo '' > /sys/x", ""),
        ] {
            assert_eq!(Echo::parse(line).unwrap(), echo(value), "{line}");
        }
    }

    #[test]
    fn refuses_what_needs_a_shell_and_names_the_line() {
        for line in [
            "",
            "cat /sys/x",
            "echo 1",
            "echo 1 >> /sys/x",
            "echo 1 > x",
            "echo 1 > /sys/x; reboot",
            "echo 1 > /sys/x /sys/y",
            "echo $HOME > /sys/x",
            "echo \"$HOME\" > /sys/x",
            "echo 'a' 'b' > /sys/x",
            "echo 'a > /sys/x",
            "echo -n 1 > /sys/x",
            "echo 1 > /sys/*",
            "echo 1 2>&1 > /sys/x",
        ] {
            let error = Echo::parse(line).unwrap_err().to_string();
            assert!(error.contains(&format!("`{line}`")), "{error}");
        }
    }

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
    }
}
