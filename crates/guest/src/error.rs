//! What can go wrong around a test body.

use std::io;
use std::path::{Path, PathBuf};

/// Why something in the guest could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuestError {
    /// The agent did not say where the channel is.
    #[error("`{0}` is no address of a channel; was this process started by the boot agent?")]
    ChannelAddress(String),
    /// The register that stops the machine cannot be reached.
    #[error(
        "the register that stops the machine cannot be mapped: {0}; was this process started by the boot agent?"
    )]
    StopRegister(#[source] io::Error),
    /// A part of the channel cannot be reached.
    #[error(
        "the channel's {area} cannot be mapped from file descriptor {fd}: {source}; was this process started by the boot agent?"
    )]
    ChannelMap {
        /// Which part.
        area: &'static str,
        /// The descriptor on which the agent hands it over.
        fd: i32,
        /// What the kernel said.
        source: io::Error,
    },
    /// The memory is no channel, or one of another version.
    #[error(
        "the channel begins with {magic:#018x} and version {version}, wanted are {wanted_magic:#018x} and {wanted_version}: build the template again"
    )]
    ChannelForeign {
        /// Its first word.
        magic: u64,
        /// Its version.
        version: u32,
        /// The first word of every channel.
        wanted_magic: u64,
        /// The version of this build.
        wanted_version: u32,
    },
    /// What is to be written, or said to be there, is larger than its area.
    #[error("the {area} of {len} bytes does not fit into its {size} bytes of the channel")]
    AreaTooSmall {
        /// Which part.
        area: &'static str,
        /// Bytes wanted.
        len: u64,
        /// Bytes there are.
        size: u64,
    },
    /// The order cannot be read.
    #[error("{0}; host and guest must run the same test binary")]
    Order(#[from] ktstr_wire::DecodeError),
    /// The report cannot be encoded.
    #[error("the report cannot be encoded: {0}")]
    Report(String),
    /// The order names a test that this binary does not have.
    #[error("this test binary has no test `{0}`")]
    UnknownTest(String),
    /// A file or folder of the guest.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    File {
        /// What was attempted, such as `read` or ``write `1` to``.
        action: String,
        /// Which one.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A file of the guest holds something unexpected.
    #[error("{path} holds `{text}`, which is not {wanted}", path = path.display())]
    Content {
        /// Which one.
        path: PathBuf,
        /// What it holds.
        text: String,
        /// What was expected.
        wanted: &'static str,
    },
    /// A name that no cgroup can have.
    #[error(transparent)]
    CgroupName(#[from] ktstr_model::CgroupNameError),
    /// Tasks that do not leave a cgroup although they were killed.
    #[error("cgroup {path} cannot be removed: {tasks} did not die within {seconds} s of being killed", path = path.display())]
    CgroupBusy {
        /// The cgroup's folder.
        path: PathBuf,
        /// The tasks that are left, by pid.
        tasks: String,
        /// How long was waited.
        seconds: u64,
    },
    /// A system call on a process.
    #[error("cannot {action}: {source}")]
    Process {
        /// What was attempted.
        action: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// Too few or far too many workers.
    #[error(
        "cgroup {cgroup} is to get {count} workers: ask for at least one, and no more than the guest can hold"
    )]
    WorkerCount {
        /// The cgroup's name.
        cgroup: String,
        /// How many were asked for.
        count: usize,
    },
    /// A work type that workers of this version cannot do.
    #[error("workers cannot do {0:?} yet")]
    WorkTypeUnknown(ktstr_model::WorkType),
    /// A line of a scheduler inside the kernel that is not of the one form there is.
    #[error("a line of a kernel-builtin scheduler: {0}")]
    BuiltinLine(#[from] ktstr_model::SwitchLineError),
}

/// Makes an I/O error say what was attempted on which file.
pub(crate) fn on_file(action: impl Into<String>, path: &Path) -> impl FnOnce(io::Error) -> GuestError {
    move |source| GuestError::File { action: action.into(), path: path.into(), source }
}

/// Makes an error of a system call say what was attempted.
pub(crate) fn on_process<E: Into<io::Error>>(action: &'static str) -> impl FnOnce(E) -> GuestError {
    move |source| GuestError::Process { action, source: source.into() }
}
