//! The kernels of a run.

use anyhow::Result;
use ktstr_kernel::{
    Cache, Environment, Kernel, KernelSet, KernelSpec, Progress as _, cached, discover, resolve_or_get,
};

use crate::kernel::BuildBar;

/// The kernels that were named, in their order, and of a range all that are cached, newest first; each that is absent is
/// fetched or built, after a line that says so. Without one, the kernel that is found.
pub fn resolve(
    specs: &[KernelSpec],
    offline: bool,
    environment: &Environment,
    cache: &Cache,
) -> Result<Vec<Kernel>> {
    if specs.is_empty() {
        return Ok(vec![discover(environment, cache)?]);
    }
    let progress = BuildBar::new();
    let mut kernels = Vec::new();
    for spec in specs {
        let selected = of_range(spec, cache)?;
        if selected.is_empty() {
            kernels.push(resolve_or_get(spec, offline, environment, cache, &progress)?);
        } else {
            let keys = keys(&selected);
            progress.notice(&format!(
                "{spec} selects what is cached: {keys}; `cargo ktstr kernel list --range {spec}` shows what else there is"
            ));
            kernels.extend(selected);
        }
    }
    Ok(kernels)
}

/// The kernel for a command that takes one: the one that was named, as [`resolve`] gets it, and of a range the newest;
/// without a name, the kernel that is found.
pub fn resolve_one(
    spec: Option<&KernelSpec>,
    offline: bool,
    environment: &Environment,
    cache: &Cache,
) -> Result<Kernel> {
    let Some(spec) = spec else {
        return Ok(discover(environment, cache)?);
    };
    let progress = BuildBar::new();
    let selected = of_range(spec, cache)?;
    if selected.len() > 1 {
        let keys = keys(&selected);
        progress.notice(&format!("{spec} selects {keys}; this command takes the newest of them"));
    }
    Ok(resolve_or_get(spec, offline, environment, cache, &progress)?)
}

/// The cached kernels of a range.
fn of_range(spec: &KernelSpec, cache: &Cache) -> Result<Vec<Kernel>> {
    Ok(if matches!(spec, KernelSpec::Range(_)) { cached(spec, cache)? } else { Vec::new() })
}

fn keys(kernels: &[Kernel]) -> String {
    kernels.iter().map(Kernel::label).collect::<Vec<_>>().join(", ")
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
