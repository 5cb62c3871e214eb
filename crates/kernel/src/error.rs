//! What can go wrong with kernels, in words for the person at the terminal.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{Bound, KernelVersion};

/// An error of this crate. Its message is whole: the cause is part of it, so [`source`](std::error::Error::source) is
/// always empty.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A text that is no version.
    #[error("`{text}` is not a kernel version; versions look like 6.18, 6.18.15 or 7.1-rc3")]
    Version {
        /// The text.
        text: String,
    },
    /// A text that names no kernel.
    #[error(
        "`{text}` does not name a kernel: {why}\n\
         accepted: a version (6.18.15, 7.1-rc3), a series (6.18), a range (6.16..7.0 or 6.16..=7.0), the key of a \
         cached kernel (see `cargo ktstr kernel list`), the path of an image or of a source tree (./bzImage, \
         ../linux), git+URL#REF"
    )]
    Spec {
        /// The text.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// `KTSTR_TEST_KERNELS`.
    #[error(
        "KTSTR_TEST_KERNELS={value}: {why}; it holds LABEL=IMAGE for each kernel, with colons between them"
    )]
    KernelSet {
        /// The variable's value.
        value: String,
        /// What is wrong with it.
        why: String,
    },
    /// An image that `KTSTR_TEST_KERNELS` cannot name.
    #[error(
        "{} has a colon in its path, so it cannot be one of several kernels: give a copy or a link elsewhere",
        path.display()
    )]
    ColonInPath {
        /// The image.
        path: PathBuf,
    },
    /// A range that no version can lie in.
    #[error("the range `{text}` is empty: {low} is newer than {high}; write the older version first")]
    EmptyRange {
        /// The range.
        text: String,
        /// Its first version.
        low: Bound,
        /// Its last version.
        high: Bound,
    },
    /// A text that is no SHA-256 sum.
    #[error("`{text}` is not a SHA-256 sum of 64 hexadecimal digits")]
    Sha256 {
        /// The text.
        text: String,
    },
    /// Nothing at an image's path.
    #[error("there is no kernel image at {path}; give the path of a bzImage, or a version that `cargo ktstr kernel list` shows", path = path.display())]
    ImageAbsent {
        /// The path.
        path: PathBuf,
    },
    /// A file that is no kernel.
    #[error("{path} is not a kernel image that ktstr can boot: {why}; give an x86_64 bzImage", path = path.display())]
    NotAKernel {
        /// The file.
        path: PathBuf,
        /// What shows it.
        why: String,
    },
    /// A folder that is no kernel tree.
    #[error("{path} is neither a Linux source tree nor a build tree with arch/x86/boot/bzImage in it", path = path.display())]
    NotATree {
        /// The folder.
        path: PathBuf,
    },
    /// A spec that only a build could satisfy.
    #[error(
        "{what} is not built yet; build it with `cargo ktstr kernel build` (`--source DIR`, or `--git URL --ref REF`), or \
         fetch a kernel with `cargo ktstr kernel fetch`"
    )]
    Unbuilt {
        /// The tree or the reference.
        what: String,
    },
    /// A kernel that is absent, and may not be got.
    #[error("kernel {wanted} is not here, and --offline forbids getting it: {cause}")]
    Offline {
        /// The spec.
        wanted: String,
        /// What is missing.
        cause: Box<Error>,
    },
    /// A file that is no kernel configuration.
    #[error("{file} is not a kernel configuration: {why}", file = path.as_ref().map_or("the text".into(), |p| p.display().to_string()))]
    Config {
        /// The file, when it is one.
        path: Option<PathBuf>,
        /// What shows it.
        why: String,
    },
    /// Nothing that the spec selects is in the cache.
    #[error("kernel {wanted} is not in the cache ({cached}); {remedy}")]
    NotCached {
        /// The spec.
        wanted: String,
        /// What is there instead.
        cached: String,
        /// What to type.
        remedy: String,
    },
    /// A damaged cache entry was named.
    #[error(
        "the cached kernel {key} is corrupt: {reason}; remove it with `cargo ktstr kernel clean --corrupt-only` and fetch it again"
    )]
    Corrupt {
        /// The entry.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A range where one kernel is needed.
    #[error("`{spec}` is a range, but one kernel is needed here; give a version, a series, a key or a path")]
    OneKernel {
        /// The range.
        spec: String,
    },
    /// No kernel was named and none was found.
    #[error("no kernel found; `cargo ktstr kernel fetch` gets one\nlooked at:{}", looked_at.iter().map(|line| format!("\n  {line}")).collect::<String>())]
    NoneFound {
        /// Each place, and why nothing there could be used.
        looked_at: Vec<String>,
    },
    /// The variable that named the kernel is wrong.
    #[error("{variable} is set to {value}, which cannot be used: {cause}")]
    Variable {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// Why not.
        cause: Box<Error>,
    },
    /// No place for the cache.
    #[error("there is no place for the kernel cache: set KTSTR_CACHE_DIR, XDG_CACHE_HOME or HOME")]
    NoCacheDir,
    /// A cache entry that another process uses.
    #[error("the cached kernel {key} is in use by another process")]
    InUse {
        /// The entry.
        key: String,
    },
    /// A spec that `fetch` cannot satisfy by its nature.
    #[error(
        "`{wanted}` cannot be fetched: only versions, series and ranges have ready-made kernels; try `cargo ktstr kernel fetch 7.3`"
    )]
    NotFetchable {
        /// The spec.
        wanted: String,
    },
    /// A version that is not among the ready-made kernels.
    #[error("there is no ready-made kernel {wanted}; there are {offered}{}", notes.iter().map(|n| format!("\nnote: {n}")).collect::<String>())]
    NotOffered {
        /// The spec.
        wanted: String,
        /// The newest of each series that can be fetched.
        offered: String,
        /// Sources that could not be asked.
        notes: Vec<String>,
    },
    /// A program that fetching needs is not there.
    #[error("{program} was not found; {remedy}")]
    ToolMissing {
        /// The program or file.
        program: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A mirror whose signature nothing here can verify.
    #[error(
        "the signature of {address} cannot be verified: that needs gpgv and Debian's archive keyring (packages gpgv and debian-archive-keyring); \
         --insecure fetches unverified"
    )]
    Unverifiable {
        /// The mirror.
        address: String,
    },
    /// A package that cannot be read.
    #[error("{package} cannot be unpacked: {why}; fetch the kernel again", package = package.display())]
    Package {
        /// The package.
        package: PathBuf,
        /// Why not.
        why: String,
    },
    /// No Debian mirror is configured.
    #[error(
        "the system's apt configuration names no Debian mirror; set KTSTR_DEBIAN_MIRROR to the address of one, the folder that holds `dists` and `pool`"
    )]
    NoMirror,
    /// A mirror's address that cannot be used.
    #[error("KTSTR_DEBIAN_MIRROR is `{address}`, which is not the address of a mirror: {why}")]
    Mirror {
        /// The address.
        address: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A program that failed.
    #[error("{doing} failed: {program} said\n{said}\n{remedy}")]
    Program {
        /// What was being done.
        doing: String,
        /// The program.
        program: &'static str,
        /// The end of its error output.
        said: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A downloaded file with another content than its index or pin says.
    #[error(
        "{file} has SHA-256 {found} instead of {expected}; it was removed, fetch again, and if it happens again use another mirror ({mirror})"
    )]
    WrongSum {
        /// The file.
        file: String,
        /// Its sum.
        found: String,
        /// The sum it should have.
        expected: String,
        /// The variable that names another mirror.
        mirror: &'static str,
    },
    /// A package without the file that it should hold.
    #[error("the packages of kernel {release} hold no {what}: ktstr does not know their layout")]
    Layout {
        /// The kernel.
        release: String,
        /// What is missing.
        what: &'static str,
    },
    /// Programs that a build needs are not there.
    #[error(
        "building a kernel needs {programs}, not found here; install with `apt-get install -y --no-install-recommends {packages}`, or your \
         distribution's packages of these programs"
    )]
    BuildToolsMissing {
        /// What was not found.
        programs: String,
        /// The Debian packages that hold it.
        packages: String,
    },
    /// A mirror of kernel.org whose address cannot be used.
    #[error(
        "KTSTR_KERNEL_MIRROR is `{address}`, which does not begin with http:// or https://; it is the folder that holds `v6.x` and `v7.x`"
    )]
    KernelMirror {
        /// The address.
        address: String,
    },
    /// A file that could not be downloaded.
    #[error(
        "{url} could not be read: {why}; type the same command again, which goes on where a download stopped, or name another mirror with {mirror}"
    )]
    Download {
        /// Its address.
        url: String,
        /// Why not.
        why: String,
        /// The variable that names another mirror.
        mirror: &'static str,
    },
    /// A version that the mirror does not have.
    #[error("{mirror} has no Linux {wanted}; near it there is {near}")]
    NoRelease {
        /// The spec.
        wanted: String,
        /// What it has.
        near: String,
        /// Its address.
        mirror: String,
    },
    /// git failed.
    #[error(
        "the sources could not be had from {url}: {why}; check the address, and that the reference is a branch, a tag or a whole commit there"
    )]
    Git {
        /// The repository.
        url: String,
        /// What git said.
        why: String,
    },
    /// A spec that names no release.
    #[error(
        "`{wanted}` names no release of Linux; give a version or series, `--source DIR` or `--git URL --ref REF`"
    )]
    NotARelease {
        /// The spec.
        wanted: String,
    },
    /// A version without sched_ext.
    #[error("Linux {version} is too old: sched_ext came with 6.12, so ktstr builds 6.12 and newer")]
    TooOld {
        /// The version.
        version: KernelVersion,
    },
    /// Symbols that kbuild did not grant.
    #[error(
        "the kernel cannot be configured as ktstr needs it:{}\n`--extra-config FILE` can set what is missing, unless a tool is too old for this kernel",
        symbols.iter().map(|line| format!("\n  {line}")).collect::<String>()
    )]
    ConfigDropped {
        /// Each with its reason.
        symbols: Vec<String>,
    },
    /// make failed.
    #[error("{doing} failed:\n{said}\nthe whole output is in {log}", log = log.display())]
    BuildFailed {
        /// What it was to do.
        doing: &'static str,
        /// The lines that say why.
        said: String,
        /// Where all of them are.
        log: PathBuf,
    },
    /// A source tree that was edited during the build.
    #[error("{tree} changed while it was built, so nobody can say what the kernel is made of: it was not kept; build again, which compiles only what changed", tree = tree.display())]
    TreeChanged {
        /// The tree.
        tree: PathBuf,
    },
    /// Type information that schedulers cannot be loaded against.
    #[error(
        "no BPF scheduler could be loaded on this kernel: its type information {why}. {pahole} made it, from package dwarves: another version is needed (1.31 or newer for 7.0 to 7.2)"
    )]
    Prototypes {
        /// What is wrong with it.
        why: String,
        /// The version of pahole.
        pahole: String,
    },
    /// Bytes that are no BTF.
    #[error("the kernel's type information (BTF) cannot be read: {why}")]
    Btf {
        /// What shows it.
        why: String,
    },
    /// An image whose kernel cannot be taken out.
    #[error("the kernel in {path} cannot be unpacked: {why}", path = path.display())]
    Payload {
        /// The image.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A system call that failed.
    #[error("cannot {doing} {path}: {cause}", path = path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// The cache folder cannot be used.
    #[error("cannot {doing} {path} in the kernel cache: {cause}; KTSTR_CACHE_DIR can name another folder, which this user can write and which has room", path = path.display())]
    CacheIo {
        /// What was being done.
        doing: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Io { doing, path: path.to_owned(), cause }
    }

    pub(crate) fn cache_io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::CacheIo { doing, path: path.to_owned(), cause }
    }
}
