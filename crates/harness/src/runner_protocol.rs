//! What a runner of tests asks a test binary for, as far as cells are concerned: the command line of libtest, as nextest
//! uses it.

use std::ffi::OsString;

use crate::cells::{NoCells, TooLarge};

/// What a command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum RunnerRequest {
    /// Names, one a line as `NAME: test`: `--list --format terse`.
    List {
        /// Only those of ignored tests: `--ignored`.
        ignored: bool,
    },
    /// One test: `--exact NAME`.
    Run(String),
    /// The cells that are too large for this host: [`TooLarge::ARGUMENT`].
    TooLarge,
    /// The schedulers that the verifier's sweep has no cell for: [`NoCells::ARGUMENT`].
    NoCells,
}

/// Options of libtest that take a value.
const WITH_VALUE: [&str; 7] =
    ["--format", "--color", "--test-threads", "--skip", "--logfile", "--shuffle-seed", "-Z"];

impl RunnerRequest {
    /// What `arguments`, without the program's name, ask for; `None` when that is nothing that a cell can serve. A list
    /// that filters choose from is left to libtest.
    pub fn parse(arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let mut flags = Vec::new();
        let mut names = Vec::new();
        let mut terse = false;
        let mut arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
        while let Some(argument) = arguments.next() {
            let joined =
                argument.split_once('=').map(|(option, value)| (option.to_owned(), value.to_owned()));
            let (option, value) = match joined {
                Some((option, value)) if option.starts_with('-') => (option, Some(value)),
                _ if WITH_VALUE.contains(&argument.as_str()) => (argument, arguments.next()),
                _ => (argument, None),
            };
            terse |= option == "--format" && value.as_deref() == Some("terse");
            if option.starts_with('-') { flags.push(option) } else { names.push(option) }
        }
        let has = |flag: &str| flags.iter().any(|other| other == flag);
        if has(TooLarge::ARGUMENT) {
            return Some(Self::TooLarge);
        }
        if has(NoCells::ARGUMENT) {
            return Some(Self::NoCells);
        }
        if has("--list") {
            let whole = terse && names.is_empty() && !has("--skip");
            return whole.then(|| Self::List { ignored: has("--ignored") });
        }
        match &names[..] {
            [name] if has("--exact") => Some(Self::Run(name.clone())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> Option<RunnerRequest> {
        RunnerRequest::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn nextest_s_command_lines_are_understood() {
        let run = |name: &str| Some(RunnerRequest::Run(name.to_owned()));
        for (line, expected) in [
            ("--list --format terse", Some(RunnerRequest::List { ignored: false })),
            ("--list --format terse --ignored", Some(RunnerRequest::List { ignored: true })),
            ("--list --format=terse", Some(RunnerRequest::List { ignored: false })),
            ("--exact gauntlet/a/tiny-1llc --nocapture --ignored", run("gauntlet/a/tiny-1llc")),
            ("--nocapture --test-threads 1 --exact inner::a", run("inner::a")),
            ("--exact kernels/a/7=x", run("kernels/a/7=x")),
            ("--ktstr-too-large", Some(RunnerRequest::TooLarge)),
            ("--ktstr-no-cells", Some(RunnerRequest::NoCells)),
        ] {
            assert_eq!(request(line), expected, "{line}");
        }
    }

    #[test]
    fn what_else_libtest_is_asked_for_is_left_to_it() {
        for line in [
            "",
            "gauntlet/a/tiny-1llc",
            "--list",
            "--list --format pretty",
            "--list --format terse steady",
            "--list --format terse --skip steady",
            "--exact",
            "--exact a b",
            "--exact --skip a",
        ] {
            assert_eq!(request(line), None, "{line}");
        }
    }
}
