//! `kernels/TEST/KERNEL`: a test on its own topology, on each further kernel of several. The first kernel is that of the
//! `#[test]` function itself.

use ktstr_kernel::{KernelSet, LabelledKernel};

use super::cell_run::{CellRun, run_test_cell};
use super::{CellEnd, CellKind, Declared, Listed, Request, by_name, test_named};

pub(super) struct Kernels;

impl CellKind for Kernels {
    fn prefix(&self) -> &'static str {
        "kernels"
    }

    fn list(&self, declared: &Declared, kernels: &KernelSet) -> Vec<Listed> {
        let further = kernels.kernels().get(1..).unwrap_or_default();
        let tests = by_name(declared).into_iter().filter(|(_, entry)| !entry.spec.host_only);
        let cells = tests.flat_map(|(test, entry)| {
            let name = move |kernel: &LabelledKernel| Listed {
                name: format!("kernels/{test}/{}", kernel.label),
                ignored: entry.spec.ignored,
                spec: entry.spec,
            };
            further.iter().map(name)
        });
        cells.collect()
    }

    fn run(&self, parts: &[&str], request: &Request<'_>) -> Result<CellEnd, String> {
        let [test, label] = parts else {
            return Err("names of this kind are kernels/TEST/KERNEL".to_owned());
        };
        let entry = test_named(request.declared, test)?;
        if entry.spec.host_only {
            return Err(format!("`{test}` runs on the host, without a kernel of its own"));
        }
        let kernel = kernel_named(request.kernels, label)?;
        Ok(run_test_cell(
            &CellRun { entry: *entry, kernel: Some(kernel), name: request.name },
            request.settings,
        ))
    }
}

/// The kernel of this label.
pub(super) fn kernel_named<'a>(kernels: &'a KernelSet, label: &str) -> Result<&'a LabelledKernel, String> {
    kernels.get(label).ok_or_else(|| match kernels.kernels() {
        [] => format!(
            "it names the kernel `{label}`, but no kernels were given: `cargo ktstr test` with `--kernel` two times or \
             more does it, or `cargo ktstr verifier` ({} is not set)",
            KernelSet::VARIABLE
        ),
        _ => format!("no kernel of this run has the label `{label}`; they are {}", kernels.labels()),
    })
}
