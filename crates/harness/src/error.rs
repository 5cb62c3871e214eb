//! Why a run could not be begun.

use std::path::PathBuf;

use ktstr_model::{Topology, TopologyError, UnknownMode};
use ktstr_results::replay::{TokenError, TokenId};
use ktstr_vm::VmError;

use crate::evidence::Evidence;

/// A run that could not be begun. Nothing was judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HarnessError {
    /// The machine.
    #[error(transparent)]
    Vm(#[from] VmError),
    /// The test process ended, or its machine did, before it waited for its order.
    #[error("the guest could not be prepared")]
    NotLoaded(Box<Evidence>),
    /// The machine, after its run had begun.
    #[error("the machine was lost while the test ran: {0}")]
    Lost(#[source] VmError),
    /// The kernel.
    #[error(transparent)]
    Kernel(#[from] ktstr_kernel::Error),
    /// `KTSTR_MODE`.
    #[error("KTSTR_MODE: {0}")]
    Mode(#[from] UnknownMode),
    /// `KTSTR_WORK_TYPE`.
    #[error("KTSTR_WORK_TYPE: {0}")]
    WorkType(#[from] ktstr_model::UnknownWorkType),
    /// `KTSTR_SEED`.
    #[error("KTSTR_SEED={0}: a seed is a whole number from 0 to 18446744073709551615")]
    Seed(String),
    /// `KTSTR_REPLAY`.
    #[error("KTSTR_REPLAY: {0}")]
    Token(#[from] TokenError),
    /// A token that is not of this test as it is now.
    #[error(
        "the token {id} is of a run with the {what} {then}, but here it is {now}: a replay of it would be another run. Go back to the commit that it was made at, or run the test anew"
    )]
    ReplayOfAnother {
        /// The token.
        id: TokenId,
        /// What differs.
        what: &'static str,
        /// What it was.
        then: String,
        /// What it is.
        now: String,
    },
    /// `KTSTR_CHECK_DETERMINISM` in real-time mode.
    #[error(
        "two runs in real-time mode are never equal, so their determinism cannot be checked: leave --check-determinism (KTSTR_CHECK_DETERMINISM) out, or run the test in deterministic mode"
    )]
    CheckInRealTime,
    /// `disk_mb` in deterministic mode.
    #[error(
        "`disk_mb` gives the guest a disk, whose requests are completed by threads of the host, at other instants in each run; so deterministic mode has none. Run the test in real-time mode, or take the key away: its workers' files are then in a tmpfs"
    )]
    DiskInDeterministicMode,
    /// `disk_mb` on a kernel without a driver.
    #[error(
        "`disk_mb` gives the guest a disk, for which kernel {release} lacks CONFIG_{missing}=y: use one that has it built in, such as those of `cargo ktstr kernel build`"
    )]
    NoDiskDriver {
        /// The kernel's release.
        release: String,
        /// The symbol.
        missing: &'static str,
    },
    /// `KTSTR_DEADLINE_SECS`.
    #[error("KTSTR_DEADLINE_SECS={0}: a deadline is a whole number of seconds")]
    Deadline(String),
    /// The declaration's dimensions.
    #[error("the test's topology: {0}")]
    Topology(#[from] TopologyError),
    /// A guest with more memory than the host.
    #[error("{topology} takes {needed_mb} MiB of memory; this host has {has_mb} MiB")]
    TooMuchMemory {
        /// The machine.
        topology: Topology,
        /// The guest's memory.
        needed_mb: u32,
        /// The host's.
        has_mb: u64,
    },
    /// The scheduler's program is nowhere.
    #[error("scheduler `{name}` was not found; looked for it at\n{}\nbuild it (`cargo build --bins`; `cargo ktstr test` does that), or name its path in KTSTR_SCHEDULER", list(.looked_at))]
    NoScheduler {
        /// The program's name.
        name: String,
        /// Every path that was tried, in order.
        looked_at: Vec<PathBuf>,
    },
    /// What is said of an external program makes no sense.
    #[error(transparent)]
    Payload(#[from] ktstr_checks::PayloadError),
    /// The program of an external workload is nowhere.
    #[error("payload `{payload}`: its program `{program}` was not found; looked for it at\n{}\n{advice}", list(.looked_at))]
    NoPayload {
        /// The payload.
        payload: &'static str,
        /// Its program.
        program: &'static str,
        /// Every path that was tried, in order.
        looked_at: Vec<PathBuf>,
        /// How to get it.
        advice: String,
    },
    /// What a payload needs is not here, and this is what needs it.
    #[error("{plan}\n{missing}")]
    PlanLacksProgram {
        /// The part of the test's plan that is about it, and what it says.
        plan: String,
        /// What is missing.
        missing: Box<HarnessError>,
    },
    /// A file that guests cannot start.
    #[error("payload `{payload}`: {} is no ELF program (is it a script?), and guests have no interpreters: name a compiled program", path.display())]
    PayloadNoProgram {
        /// The payload.
        payload: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The scheduler's program is older than its sources.
    #[error("{} is older than its source {}: build it again (`cargo build --bins`; `cargo ktstr test` does that)", binary.display(), newer.display())]
    StaleScheduler {
        /// The program.
        binary: PathBuf,
        /// A source that changed after it was built.
        newer: PathBuf,
    },
    /// A kernel that cannot run BPF schedulers.
    #[error("kernel {release} ({}) has no sched_ext, which scheduler `{scheduler}` needs: use a kernel with CONFIG_SCHED_CLASS_EXT, as `cargo ktstr kernel fetch` gets one", image.display())]
    NoSchedExt {
        /// The kernel's release.
        release: String,
        /// Its image.
        image: PathBuf,
        /// The scheduler's name.
        scheduler: String,
    },
    /// `config` without a place to put it, or the other way round.
    #[error("{0}")]
    Config(String),
    /// A file of the declaration that is not there.
    #[error("{what} {}: {source}", path.display())]
    File {
        /// What it was to be.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A scenario that makes no sense, as the test's body told of it in its rehearsal.
    #[error("the test returned an error: {0} (seen before any machine was started)")]
    Plan(String),
    /// The order could not be encoded.
    #[error("the run's order: {0}")]
    Order(String),
}

impl HarnessError {
    /// Whether the machine is too large for this host or its QEMU.
    pub(crate) fn is_of_size(&self) -> bool {
        matches!(
            self,
            Self::TooMuchMemory { .. }
                | Self::Vm(
                    VmError::ApicIds { .. } | VmError::TooManyCpus { .. } | VmError::TooManyForKvm { .. }
                )
        )
    }
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| format!("  {}", path.display())).collect::<Vec<_>>().join("\n")
}
