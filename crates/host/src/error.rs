//! Why a host cannot be looked at or changed.

use std::io;
use std::process::ExitStatus;

/// A command that did not work, or that may not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// A program that could not be started or waited for.
    #[error("cannot run `{command}`: {why}")]
    NotRun {
        /// The command as a person would type it.
        command: String,
        /// The system's answer.
        why: io::Error,
    },
    /// A program that ended badly.
    #[error("this command failed ({status}):\n  {command}\n{said}")]
    Failed {
        /// The command as a person would type it.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote to its standard error.
        said: String,
    },
    /// A file that tells what system this is.
    #[error("cannot read {path}: {why}")]
    File {
        /// The file.
        path: &'static str,
        /// The system's answer.
        why: io::Error,
    },
    /// Packages that no configured source has.
    #[error("apt offers {what}")]
    NotOffered {
        /// What is missing there, and what to do.
        what: String,
    },
    /// Installing without root and without sudo.
    #[error("installing needs root and there is no sudo: run these as root, then try again{list}")]
    NoRoot {
        /// The commands, each on a line of its own.
        list: String,
    },
    /// Nobody to ask.
    #[error("not run, there is no terminal to ask at: give --yes, or run them yourself")]
    NobodyToAsk,
    /// The answer was no.
    #[error("not run: run them yourself, then try again")]
    Declined,
}
