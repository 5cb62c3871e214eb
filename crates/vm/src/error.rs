//! What can go wrong with a machine, in words that say what to do.

use std::io;
use std::path::PathBuf;

use ktstr_model::{Mode, ModeChoice, Topology};
use ktstr_wire::FactsError;

use ktstr_host::Version;

use crate::boot_end::BootEnd;

/// A machine that could not be made, or that was lost.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VmError {
    /// No program that makes file systems.
    #[error(
        "no mke2fs ({source}), which makes the file system of a guest's disk: install it (Debian: e2fsprogs), or take `disk_mb` away"
    )]
    NoMke2fs {
        /// The system's answer.
        source: io::Error,
    },
    /// A disk that no file system fits on.
    #[error("`disk_mb = {disk_mb}`: mke2fs cannot make a file system of that size: {said}")]
    Disk {
        /// The disk's size in MiB.
        disk_mb: u32,
        /// What mke2fs said.
        said: String,
    },
    /// No QEMU on this host.
    #[error(
        "no QEMU: looked for `{name}` in {looked_in}; install it (Debian: qemu-system-x86, version 10 from bookworm-backports) or name one in KTSTR_QEMU"
    )]
    NoQemu {
        /// The program's name or path.
        name: String,
        /// `PATH` or where else it was looked for.
        looked_in: String,
    },
    /// A program that does not answer like QEMU.
    #[error("`{} --version` did not print a QEMU version but: {printed}", path.display())]
    NotQemu {
        /// The program.
        path: PathBuf,
        /// What it printed.
        printed: String,
    },
    /// A QEMU that cannot do what is asked for.
    #[error("QEMU {found} ({}) is too old for {mode} mode, which needs {needed} or later: install a newer one (Debian 12: qemu-system-x86 from bookworm-backports) or name one in KTSTR_QEMU", path.display())]
    QemuTooOld {
        /// The program.
        path: PathBuf,
        /// Its version.
        found: Version,
        /// The mode asked for.
        mode: Mode,
        /// The least version for it.
        needed: Version,
    },
    /// Real-time mode without a KVM that works.
    #[error("{requested} mode needs KVM, and it does not work here: {reason}; use --mode deterministic")]
    NoKvm {
        /// What was asked for.
        requested: ModeChoice,
        /// Why KVM cannot be used.
        reason: String,
    },
    /// A file whose sum is needed and cannot be had.
    #[error(transparent)]
    Sum(#[from] ktstr_kernel::Error),
    /// A file or folder.
    #[error("{what} {}: {source}", path.display())]
    File {
        /// What was attempted.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The cache cannot be written.
    #[error("the cache folder {} cannot be written: {source}; make it writable or name another in KTSTR_CACHE_DIR", path.display())]
    CacheNotWritable {
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A cache on a file system without locks.
    #[error("the cache folder {} is on a file system whose files cannot be locked ({source}), so that two processes could build the same template at a time: name a folder on another in KTSTR_CACHE_DIR", path.display())]
    CacheWithoutLocks {
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A cache whose files QEMU cannot be told of.
    #[error("QEMU cannot be told of files in the cache folder {}: {why}; name another in KTSTR_CACHE_DIR", path.display())]
    CachePath {
        /// The folder.
        path: PathBuf,
        /// What is wrong with its path.
        why: &'static str,
    },
    /// A template does not fit on the disk.
    #[error("the disk of {} is full ({free_mb} MiB free; a template of this machine needs up to {needed_mb} MiB): free some space, remove old templates with `cargo ktstr cache clean`, or name another folder in KTSTR_CACHE_DIR", path.display())]
    DiskFull {
        /// The folder.
        path: PathBuf,
        /// MiB free.
        free_mb: u64,
        /// MiB that may be needed.
        needed_mb: u64,
    },
    /// A system call that should not fail did.
    #[error("{what}: {source}")]
    System {
        /// What was attempted.
        what: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// QEMU refused to start or ended before it spoke.
    #[error("QEMU ended before the machine ran: {said}")]
    QemuRefused {
        /// What QEMU wrote to stderr.
        said: String,
    },
    /// QEMU said something else than expected.
    #[error("QEMU's control channel: {0}")]
    Qmp(String),
    /// The kernel did not come up to the agent's wait point.
    #[error("the guest kernel did not reach the wait point of a {mode} template ({topology}): {how}")]
    Boot {
        /// The mode.
        mode: Mode,
        /// The machine.
        topology: Topology,
        /// What happened instead.
        how: BootEnd,
        /// All that the console has.
        console: String,
    },
    /// The guest sees another machine than the one asked for.
    #[error("template of {topology}: {source}")]
    Facts {
        /// The machine asked for.
        topology: Topology,
        /// What differs.
        source: FactsError,
    },
    /// A topology that deterministic mode cannot have.
    #[error(
        "{topology} has APIC ids up to {highest}; a kernel uses ids above 254 with interrupt remapping only, which QEMU does not \
         emulate while it counts instructions: such a machine needs real-time mode, or fewer CPUs"
    )]
    ApicIds {
        /// The machine asked for.
        topology: Topology,
        /// Its highest APIC id.
        highest: u32,
    },
    /// More CPUs than this QEMU gives a machine.
    #[error("{topology} has {} CPUs; QEMU {version} gives a machine {most} at most, 8.1 and later more", topology.cpus())]
    TooManyCpus {
        /// The machine asked for.
        topology: Topology,
        /// The most there can be.
        most: u32,
        /// QEMU's version.
        version: Version,
    },
    /// More CPUs than KVM gives a machine.
    #[error("{topology} has {} CPUs; this host's KVM gives a machine {most} at most", topology.cpus())]
    TooManyForKvm {
        /// The machine asked for.
        topology: Topology,
        /// The most there can be.
        most: u32,
    },
    /// The payload is larger than the channel or the guest's memory.
    #[error(
        "the payload ({payload_mb} MiB: test binary, scheduler, their libraries and included files) is too large for {what} ({room_mb} MiB): {advice}"
    )]
    PayloadTooLarge {
        /// Size of the payload in MiB.
        payload_mb: u64,
        /// What it does not fit into.
        what: &'static str,
        /// Room there in MiB.
        room_mb: u64,
        /// What to do.
        advice: &'static str,
    },
    /// A shared library that the host's loader does not find either.
    #[error("{} needs the shared library {library}, which is not found on this host", program.display())]
    NoLibrary {
        /// The program.
        program: PathBuf,
        /// The library's name.
        library: String,
    },
    /// A QEMU whose saved states are laid out in another way than those of the versions we know.
    #[error(
        "QEMU {0} saves the clock of a deterministic machine in a way that is not known here: use QEMU 8.2 to 10"
    )]
    StateWithoutClock(Version),
    /// A loader that does not tell which libraries a program needs.
    #[error("{} did not tell which shared libraries {} needs: {said}", loader.display(), program.display())]
    LoaderFailed {
        /// The program.
        program: PathBuf,
        /// Its loader.
        loader: PathBuf,
        /// What the loader wrote to stderr, and how it ended.
        said: String,
    },
    /// A template that QEMU cannot make a machine of.
    #[error("no machine could be made from the template in {}: {source}{}; remove that folder to have it built again", folder.display(), quoted(.said))]
    TemplateUnusable {
        /// The template.
        folder: PathBuf,
        /// What failed.
        source: Box<VmError>,
        /// What QEMU wrote to stderr.
        said: String,
    },
    /// This process was asked to end.
    #[error("interrupted")]
    Interrupted,
    /// The order does not fit into the channel.
    #[error("the order of {0} bytes is larger than the channel has room for")]
    OrderTooLarge(usize),
}

fn quoted(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!("; QEMU said: {said}") }
}

impl VmError {
    pub(crate) fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { what, path, source }
    }

    pub(crate) fn system<E: Into<io::Error>>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::System { what, source: source.into() }
    }
}
