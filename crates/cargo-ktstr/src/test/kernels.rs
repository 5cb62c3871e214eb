//! The kernels of a run.

use anyhow::Result;
use ktstr_kernel::{Cache, Environment, Kernel, KernelSet, KernelSpec};

use crate::kernel::BuildBar;

/// The kernels that were named, in their order; each that is absent is fetched or built, after a line that says so.
/// Without one, the kernel that is found.
pub fn resolve(
    specs: &[KernelSpec],
    offline: bool,
    environment: &Environment,
    cache: &Cache,
) -> Result<Vec<Kernel>> {
    if specs.is_empty() {
        return Ok(vec![ktstr_kernel::discover(environment, cache)?]);
    }
    let progress = BuildBar::new();
    let get = |spec| ktstr_kernel::resolve_or_get(spec, offline, environment, cache, &progress);
    Ok(specs.iter().map(get).collect::<Result<_, _>>()?)
}

/// The names that kernels have in cells; one line says which are the same kernel.
pub fn label(kernels: &[Kernel]) -> KernelSet {
    let set = KernelSet::label(kernels);
    let (given, distinct) = (kernels.len(), set.kernels().len());
    if distinct < given {
        eprintln!("ktstr: of {given} kernels {distinct} are different ({}); each runs once", set.labels());
    }
    set
}
