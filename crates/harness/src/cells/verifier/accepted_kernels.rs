//! Which kernels a scheduler's `kernels = [..]` accepts.

use ktstr_kernel::{Cache, Environment, Error, ImageInfo, KernelSpec, LabelledKernel, resolve};
use ktstr_model::Scheduler;

/// Whether the sweep runs the scheduler on this kernel: where it names none, on every one.
///
/// # Errors
/// When the declaration names a kernel in a way that cannot be understood, or the image cannot be read.
pub(super) fn accepts(scheduler: &Scheduler, kernel: &LabelledKernel) -> Result<bool, Error> {
    let mut accepted = scheduler.kernels.is_empty();
    for filter in scheduler.kernels {
        accepted |= selects(&filter.parse()?, kernel)?;
    }
    Ok(accepted)
}

fn selects(spec: &KernelSpec, kernel: &LabelledKernel) -> Result<bool, Error> {
    match spec {
        KernelSpec::Version(_) | KernelSpec::Range(_) => {
            Ok(spec.accepts(ImageInfo::read(&kernel.image)?.version))
        }
        // One kernel, which is this one or, when it is not even there, another.
        KernelSpec::Path(_) | KernelSpec::Key(_) | KernelSpec::Git { .. } => {
            let environment = Environment::of_process();
            let found = resolve(spec, &environment, &Cache::locate(&environment)?);
            Ok(found.is_ok_and(|found| found.image == kernel.image))
        }
    }
}
