//! `gauntlet/TEST/PRESET`, with several kernels `gauntlet/TEST/PRESET/KERNEL`: a test on each preset that meets its
//! constraints.

use ktstr_guest::TestEntry;
use ktstr_kernel::KernelSet;
use ktstr_model::{PRESETS, Preset};

use super::cell_run::{CellRun, run_test_cell};
use super::kernels::kernel_named;
use super::presets::preset_named;
use super::{CellEnd, CellKind, Declared, Listed, Request, by_name, test_named};

pub(super) struct Gauntlet;

impl CellKind for Gauntlet {
    fn prefix(&self) -> &'static str {
        "gauntlet"
    }

    fn list(&self, declared: &Declared, kernels: &KernelSet) -> Vec<Listed> {
        let mut cells = Vec::new();
        for (test, entry) in by_name(declared) {
            for preset in accepted(entry) {
                let name = format!("gauntlet/{test}/{}", preset.name);
                let spec = entry.spec.on(&preset.topology);
                let listed = |name| Listed { name, ignored: true, spec };
                if kernels.is_dimension() {
                    let with = |label| listed(format!("{name}/{label}"));
                    cells.extend(kernels.kernels().iter().map(|kernel| with(&kernel.label)));
                } else {
                    cells.push(listed(name));
                }
            }
        }
        cells
    }

    fn run(&self, parts: &[&str], request: &Request<'_>) -> Result<CellEnd, String> {
        let (test, preset, label) = match *parts {
            [test, preset] => (test, preset, None),
            [test, preset, label] => (test, preset, Some(label)),
            _ => {
                return Err(
                    "names of this kind are gauntlet/TEST/PRESET or gauntlet/TEST/PRESET/KERNEL".to_owned()
                );
            }
        };
        let entry = test_named(request.declared, test)?;
        let preset = preset_named(preset, test, &accepted(entry).collect::<Vec<_>>())?;
        let kernel = label.map(|label| kernel_named(request.kernels, label)).transpose()?;
        let entry = TestEntry { spec: entry.spec.on(&preset.topology), ..*entry };
        Ok(run_test_cell(&CellRun { entry, kernel, name: request.name }, request.settings))
    }
}

/// The presets that a test runs on: none when it runs on the host.
fn accepted(entry: &TestEntry) -> impl Iterator<Item = &'static Preset> {
    let constraints = entry.spec.resolved_constraints();
    let on_host = entry.spec.host_only;
    PRESETS.iter().filter(move |preset| !on_host && constraints.accept(&preset.topology))
}
