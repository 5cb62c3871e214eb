//! Schedulers that the sweep has no cell for.

use ktstr_kernel::{KernelSet, LabelledKernel};
use ktstr_model::Scheduler;
use serde::{Deserialize, Serialize};

use super::super::Declared;
use super::accepted_kernels::accepts;
use super::presets;
use super::sweep_test::swept;

/// A declared scheduler without a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoCells {
    /// Its name.
    pub scheduler: String,
    /// Why.
    pub why: String,
}

impl NoCells {
    /// The argument that makes a test binary print its BPF schedulers that have no cell on the kernels of this run, each as
    /// JSON in a line of its own. It runs nothing then.
    pub const ARGUMENT: &str = "--ktstr-no-cells";
}

/// The BPF schedulers that none of `kernels` and no preset suits.
pub(crate) fn no_cells(declared: &Declared, kernels: &KernelSet) -> Vec<NoCells> {
    let reason = |(name, scheduler): (String, &'static Scheduler)| {
        Some(NoCells { why: why_none(scheduler, kernels)?, scheduler: name })
    };
    swept(declared).into_iter().filter_map(reason).collect()
}

fn why_none(scheduler: &Scheduler, kernels: &KernelSet) -> Option<String> {
    // What cannot be told has cells, which say why.
    let suits = |kernel: &LabelledKernel| accepts(scheduler, kernel).unwrap_or(true);
    if !kernels.kernels().iter().any(suits) {
        let filter = scheduler.kernels.join(", ");
        return Some(format!("its `kernels` ({filter}) accept none of {}", kernels.labels()));
    }
    let on_none = presets(scheduler).next().is_none();
    on_none.then(|| "its constraints accept no preset".to_owned())
}
