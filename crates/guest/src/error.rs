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
    #[error("cgroup {path} cannot be emptied: {tasks} did not die within {seconds} s of being killed", path = path.display())]
    CgroupBusy {
        /// The cgroup's folder.
        path: PathBuf,
        /// The tasks that are left.
        tasks: String,
        /// How long was waited.
        seconds: u64,
    },
    /// Tasks that do not stop although their cgroup is frozen.
    #[error("cgroup {path} cannot be frozen: of {tasks} not all stopped within {seconds} s", path = path.display())]
    CgroupNotFrozen {
        /// The cgroup's folder.
        path: PathBuf,
        /// Its tasks.
        tasks: String,
        /// How long was waited.
        seconds: u64,
    },
    /// A cgroup that fills faster than its tasks are moved.
    #[error("the tasks of cgroup {path} cannot be moved: {tasks} keep on forking; stop or freeze them first", path = path.display())]
    CgroupRefills {
        /// The cgroup's folder.
        path: PathBuf,
        /// The tasks that are left.
        tasks: String,
    },
    /// A cpuset that makes no sense on this machine.
    #[error("cgroup {cgroup} cannot have {file} = `{wanted}`: {why}")]
    Cpuset {
        /// The cgroup's name.
        cgroup: String,
        /// `cpuset.cpus` or `cpuset.mems`.
        file: &'static str,
        /// What was asked for.
        wanted: ktstr_model::CpuSet,
        /// What is wrong with it.
        why: String,
    },
    /// CPUs for a cgroup that this machine cannot give.
    #[error("{spec:?} is no cpuset here: {why}")]
    CpusetSpec {
        /// What was asked for.
        spec: ktstr_model::CpusetSpec,
        /// What is wrong with it.
        why: String,
    },
    /// A limit that makes no sense.
    #[error("cgroup {cgroup}: {source}")]
    CgroupLimit {
        /// The cgroup's name.
        cgroup: String,
        /// What is wrong with it.
        source: ktstr_model::CgroupLimitError,
    },
    /// A file that this kernel's cgroups do not have.
    #[error(
        "cgroup {cgroup} cannot have {file} = {value}: this kernel has no such file; it needs the {controller} controller, with what implements this"
    )]
    CgroupKnob {
        /// The cgroup's name.
        cgroup: String,
        /// The file.
        file: String,
        /// What was to be written.
        value: String,
        /// The controller that it belongs to.
        controller: String,
    },
    /// More tasks than a cgroup may have.
    #[error(
        "pids.max = {limit} of cgroup {cgroup} leaves no room for {more} tasks beside the {there} in it; raise it, or make fewer workers"
    )]
    CgroupFull {
        /// The cgroup's name, or its folder when it is a level above.
        cgroup: String,
        /// The limit.
        limit: u64,
        /// Tasks that it has.
        there: u64,
        /// Those that it was to have besides.
        more: u64,
    },
    /// A second cgroup of one name.
    #[error("there is a cgroup {0} already; give each a name of its own")]
    CgroupTwice(String),
    /// A part of a scenario that makes no sense, or cannot be done.
    #[error("{place}: {why}")]
    Step {
        /// Where it stands, such as `step 2, op 1 (SetCpuset cell_0 to Llc(9))`.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// A cgroup that was never made or has been removed.
    #[error("there is no cgroup {name}; there are: {there}")]
    CgroupUnknown {
        /// Its name.
        name: String,
        /// Those that there are.
        there: String,
    },
    /// A system call on a process.
    #[error("cannot {action}: {source}")]
    Process {
        /// What was attempted.
        action: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// Far too many workers.
    #[error("cgroup {cgroup} is to get {count} workers: no guest can hold so many")]
    WorkerCount {
        /// The cgroup's name.
        cgroup: String,
        /// How many were asked for.
        count: usize,
    },
    /// Work that makes no sense as asked for.
    #[error(transparent)]
    WorkType(#[from] ktstr_model::WorkTypeError),
    /// The order names a work type that there is not.
    #[error(transparent)]
    WorkTypeName(#[from] ktstr_model::UnknownWorkType),
    /// A work type that workers of this version cannot do.
    #[error("workers cannot do {0} yet")]
    WorkTypeUnknown(&'static str),
    /// An operation that scenarios of this version cannot do.
    #[error("scenarios cannot do {0} yet")]
    OpUnknown(&'static str),
    /// Work that this machine cannot carry.
    #[error("{work}: {why}")]
    WorkTypeUnfit {
        /// The work type.
        work: &'static str,
        /// What is missing.
        why: String,
    },
    /// CPUs that workers cannot ask for.
    #[error("workers cannot have the affinity {intent:?}: {why}")]
    Affinity {
        /// What was asked for.
        intent: ktstr_model::AffinityIntent,
        /// What is wrong with it.
        why: String,
    },
    /// A memory policy that workers cannot have.
    #[error("workers cannot have the memory policy {policy:?}: {why}")]
    MemPolicy {
        /// What was asked for.
        policy: ktstr_model::MemPolicy,
        /// What is wrong with it.
        why: String,
    },
    /// A nice value outside its range.
    #[error("workers cannot have the nice value {0}: it goes from -20 to 19")]
    Nice(i32),
    /// A real-time priority outside its range.
    #[error("workers cannot have the policy {0:?}: priorities go from 1 to 99")]
    Priority(ktstr_model::SchedPolicy),
    /// An external program that was not brought along.
    #[error(
        "payload {payload} is not here: name it in the test's attribute, with `payload = ..` or `workloads = [..]`, so that its program is brought into the guest{there}"
    )]
    PayloadUnknown {
        /// The payload.
        payload: &'static str,
        /// Those that there are, in words.
        there: String,
    },
    /// An external program that this host does not have; said by a rehearsal.
    #[error("payload {0}: its program is not on this host")]
    PayloadMissing(&'static str),
    /// An external program that cannot be started.
    #[error("payload {payload} cannot be started from {path}: {source}")]
    PayloadStart {
        /// The payload.
        payload: String,
        /// Its program.
        path: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// An external program that does not end.
    #[error(
        "payload {payload} (pid {pid}) had not ended after {seconds} s; give it a time limit of its own, or raise duration_s"
    )]
    PayloadHangs {
        /// The payload.
        payload: String,
        /// Its process id.
        pid: u32,
        /// How long was waited.
        seconds: u64,
    },
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
