//! Which errors `cargo ktstr doctor` knows more about.

use ktstr_vm::VmError;

/// Tests run under nextest.
#[derive(Debug, thiserror::Error)]
#[error("cargo-nextest, which runs the tests, is not installed: `{0}`")]
pub struct NoNextest(pub String);

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
            || cause.downcast_ref().is_some_and(vm)
            || cause.downcast_ref().is_some_and(kernel)
    })
}
