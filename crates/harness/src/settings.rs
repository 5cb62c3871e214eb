//! What the environment says about every run of this process.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ktstr_model::{ModeChoice, TestSpec, Topology, WorkType};
use ktstr_results::replay::ReplayToken;
use ktstr_results::{Commit, RecordFolder};

use crate::error::HarnessError;

/// The seed of runs that are given none. Fixed, so that a test that passed passes again.
const DEFAULT_SEED: u64 = 1;

/// Settings of this process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The kernel's image, where a cell has one of its own; otherwise the kernel is looked for.
    pub kernel: Option<PathBuf>,
    /// The name under which a test runs as a cell.
    pub cell: Option<String>,
    /// A topology in place of the test's own.
    pub topology: Option<Topology>,
    /// `KTSTR_MODE`: overrules `auto`, but not a mode that a test names.
    pub mode: ModeChoice,
    /// `KTSTR_SEED`.
    pub seed: u64,
    /// `KTSTR_WORK_TYPE`: what swappable workers do instead of what their scenario says.
    pub work_type: Option<WorkType>,
    /// Where records go: `KTSTR_SIDECAR_DIR` itself, else folders in `KTSTR_RUNS_DIR`, else folders in `target/ktstr`.
    pub records: RecordFolder,
    /// `KTSTR_COMMIT`: the commit of the workspace, when whoever started this process knew it.
    pub commit: Option<Commit>,
    /// `KTSTR_RUN_ID`, else `NEXTEST_RUN_ID`: what the runs of one command have in common.
    pub invocation: Option<String>,
    /// `KTSTR_DEADLINE_SECS`: replaces the deadline of a guest that hangs: seconds of QEMU's CPU time in deterministic
    /// mode, of wall time in real time.
    pub deadline: Option<Duration>,
    /// `KTSTR_CHECK_DETERMINISM`: each run is carried out twice, and is broken when the two differ.
    pub check_determinism: bool,
    /// `KTSTR_REPLAY`: the token of the run that is carried out again.
    pub replay: Option<ReplayToken>,
    /// `KTSTR_DENY_SKIP`: a test that gives up fails.
    pub deny_skip: bool,
    /// `KTSTR_ALLOW_INCONCLUSIVE`: a test about which a busy host allows no conclusion does not fail.
    pub allow_inconclusive: bool,
    /// `KTSTR_VERIFIER_RAW`: every line of the verifier's log is printed.
    pub raw_logs: bool,
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// When a variable has a value that cannot be understood.
    pub fn of_this_process() -> Result<Self, HarnessError> {
        let text = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let flag = |name: &str| text(name).is_some_and(|value| value != "0");
        Ok(Self {
            kernel: None,
            cell: None,
            topology: None,
            mode: text("KTSTR_MODE").map_or(Ok(ModeChoice::Auto), |mode| mode.parse())?,
            seed: match text("KTSTR_SEED") {
                Some(seed) => seed.parse().map_err(|_| HarnessError::Seed(seed))?,
                None => DEFAULT_SEED,
            },
            work_type: text("KTSTR_WORK_TYPE").map(|name| WorkType::named(&name)).transpose()?,
            records: records(
                text(RecordFolder::FIXED_VARIABLE),
                text(RecordFolder::BELOW_VARIABLE),
                &env::current_exe().unwrap_or_default(),
            ),
            commit: text("KTSTR_COMMIT").map(Commit::from),
            invocation: text("KTSTR_RUN_ID").or_else(|| text("NEXTEST_RUN_ID")),
            deadline: match text("KTSTR_DEADLINE_SECS") {
                Some(seconds) => Some(
                    seconds.parse().map(Duration::from_secs).map_err(|_| HarnessError::Deadline(seconds))?,
                ),
                None => None,
            },
            check_determinism: flag("KTSTR_CHECK_DETERMINISM"),
            replay: text("KTSTR_REPLAY").map(|path| ReplayToken::read(Path::new(&path))).transpose()?,
            deny_skip: flag("KTSTR_DENY_SKIP"),
            allow_inconclusive: flag("KTSTR_ALLOW_INCONCLUSIVE"),
            raw_logs: flag("KTSTR_VERIFIER_RAW"),
        })
    }
}

impl Settings {
    /// The seed of a run of `spec`.
    pub fn seed_of(&self, spec: &TestSpec) -> u64 {
        let declared = || spec.seed.unwrap_or(self.seed);
        self.replay.as_ref().map_or_else(declared, |token| token.plan.order.seed)
    }

    /// The topology that was named for runs: here, or when the run was made that is carried out again.
    pub(crate) fn named_topology(&self) -> Option<Topology> {
        let replayed = || self.replay.as_ref().map(|token| &token.plan).filter(|plan| plan.topology_named);
        self.topology.or_else(|| replayed().map(|plan| plan.order.topology))
    }

    /// The name of the work type that takes the place of swappable ones.
    pub(crate) fn work_type_name(&self) -> Option<String> {
        self.work_type.as_ref().map(|work| work.name().to_owned())
    }

    /// The commit of the workspace that a test is in.
    pub(crate) fn commit_of(&self, spec: &TestSpec) -> Commit {
        self.commit.clone().unwrap_or_else(|| Commit::of_work_tree(Path::new(spec.manifest_dir)))
    }
}

/// Where the records of a test binary go. Only cargo knows for certain where its target folder is; a command that has asked
/// it says so in a variable.
fn records(fixed: Option<String>, below: Option<String>, test_binary: &Path) -> RecordFolder {
    match (fixed, below) {
        (Some(folder), _) => RecordFolder::Fixed(folder.into()),
        (None, Some(folder)) => RecordFolder::Below(folder.into()),
        (None, None) => RecordFolder::Below(target_folder(test_binary).join("ktstr")),
    }
}

/// Cargo's target folder: a test binary is in `target/PROFILE/deps`.
fn target_folder(test_binary: &Path) -> PathBuf {
    let deps = test_binary.ancestors().find(|folder| folder.ends_with("deps"));
    let target = deps.and_then(Path::parent).and_then(Path::parent);
    target.map_or_else(|| PathBuf::from("target"), Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_go_where_the_command_that_runs_tests_looks_for_them() {
        let cross = Path::new("/w/target/x86_64-unknown-linux-gnu/debug/deps/sched-12");
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(
            records(None, named("/w/target/ktstr"), cross),
            RecordFolder::Below("/w/target/ktstr".into())
        );
        assert_eq!(records(named("/r"), named("/w/target/ktstr"), cross), RecordFolder::Fixed("/r".into()));
        let plain = Path::new("/w/target/debug/deps/sched-12");
        assert_eq!(records(None, None, plain), RecordFolder::Below("/w/target/ktstr".into()));
    }

    #[test]
    fn records_go_to_the_target_folder() {
        assert_eq!(target_folder(Path::new("/w/target/debug/deps/sched-12")), Path::new("/w/target"));
        assert_eq!(target_folder(Path::new("/usr/bin/sched")), Path::new("target"));
    }
}
