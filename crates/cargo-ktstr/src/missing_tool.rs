//! Which errors `cargo ktstr doctor` knows more about.

use ktstr_host::{Host, REQUIREMENTS, missing};
use ktstr_vm::VmError;

/// Tests run under nextest.
#[derive(Debug, thiserror::Error)]
#[error("cargo-nextest, which runs the tests, is not installed: `{0}`")]
pub struct NoNextest(pub String);

/// Schedulers and the guest's agent are built with more than cargo brings.
#[derive(Debug, thiserror::Error)]
#[error(
    "the workspace's programs could not be built (`{command}`), and this host lacks what schedulers are built with: {lacks}"
)]
pub struct NotBuildable {
    /// The command that failed.
    pub command: String,
    /// What is missing.
    pub lacks: String,
}

/// What the host lacks to build schedulers; `None` when it has all of it.
pub fn lacks_for_building() -> Option<String> {
    let lacks = missing(&REQUIREMENTS[1..], &Host::of_process());
    let lacks: Vec<String> =
        lacks.iter().map(|one| format!("{} ({})", one.requirement.what, one.found)).collect();
    (!lacks.is_empty()).then(|| lacks.join(", "))
}

/// The guest of a shell has its programs from it.
#[derive(Debug, thiserror::Error)]
#[error(
    "busybox, which has the programs of the guest's shell, is not in PATH: `cargo ktstr doctor --fix` installs it (Debian: {0})"
)]
pub struct NoBusybox(pub String);

/// Whether a tool is missing, too old or not what it should be.
pub fn is_cause(error: &anyhow::Error) -> bool {
    let vm = |error: &VmError| {
        matches!(
            error,
            VmError::NoQemu { .. }
                | VmError::NotQemu { .. }
                | VmError::QemuTooOld { .. }
                | VmError::NoKvm { .. }
        )
    };
    let kernel = |error: &ktstr_kernel::Error| {
        use ktstr_kernel::Error;
        matches!(error, Error::ToolMissing { .. } | Error::BuildToolsMissing { .. })
    };
    error.chain().any(|cause| {
        cause.is::<NoNextest>()
            || cause.is::<NoBusybox>()
            || cause.is::<NotBuildable>()
            || cause.downcast_ref().is_some_and(vm)
            || cause.downcast_ref().is_some_and(kernel)
    })
}
