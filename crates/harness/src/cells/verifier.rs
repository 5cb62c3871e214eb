//! `verifier/SCHEDULER/KERNEL/PRESET`: a scheduler is loaded, and what the verifier made of its programs is recorded. Listed
//! where kernels are given, for every BPF scheduler, every kernel that it accepts, and every preset that its constraints
//! accept.

mod accepted_kernels;
mod log;
mod no_cells;
mod programs;
mod sweep_test;

use ktstr_guest::{LOAD_ONLY, TestEntry};
use ktstr_kernel::{KernelSet, LabelledKernel};
use ktstr_model::{PRESETS, Preset, Scheduler, Verdict};

use self::accepted_kernels::accepts;
pub use self::no_cells::NoCells;
pub(crate) use self::no_cells::no_cells;
pub(crate) use self::sweep_test::spec_for;
use self::sweep_test::swept;
use super::cell_run::{CellRun, carry_out};
use super::kernels::kernel_named;
use super::presets::preset_named;
use super::{CellEnd, CellKind, Declared, Listed, Request};
use crate::render;
use crate::test_entry::tell;

/// The first part of the names of these cells.
const PREFIX: &str = "verifier";

pub(super) struct Verifier;

impl CellKind for Verifier {
    fn prefix(&self) -> &'static str {
        PREFIX
    }

    fn list(&self, declared: &Declared, kernels: &KernelSet) -> Vec<Listed> {
        let mut cells = Vec::new();
        for (name, scheduler) in swept(declared) {
            let (spec, _) = spec_for(declared, scheduler);
            // A cell that cannot be told is listed, and says why when it is run.
            let is_cell = |kernel: &&LabelledKernel| accepts(scheduler, kernel).unwrap_or(true);
            for kernel in kernels.kernels().iter().filter(is_cell) {
                let cell = |preset: &Preset| Listed {
                    name: format!("{PREFIX}/{name}/{}/{}", kernel.label, preset.name),
                    ignored: true,
                    spec: spec.on(&preset.topology),
                };
                cells.extend(presets(scheduler).map(cell));
            }
        }
        cells
    }

    fn run(&self, parts: &[&str], request: &Request<'_>) -> Result<CellEnd, String> {
        let [name, label, preset] = parts else {
            return Err("names of this kind are verifier/SCHEDULER/KERNEL/PRESET".to_owned());
        };
        let scheduler = scheduler_named(request.declared, name)?;
        let kernel = kernel_named(request.kernels, label)?;
        if !accepts(scheduler, kernel).map_err(|error| error.to_string())? {
            let filter = scheduler.kernels.join(", ");
            return Err(format!(
                "the scheduler `{name}` is for the kernels {filter}, and {label} is none of them"
            ));
        }
        let preset = preset_named(preset, name, &presets(scheduler).collect::<Vec<_>>())?;
        let (spec, configured_by) = spec_for(request.declared, scheduler);
        let entry = TestEntry { spec: spec.on(&preset.topology), ..LOAD_ONLY };
        let mut finished =
            carry_out(&CellRun { entry, kernel: Some(kernel), name: request.name }, request.settings);
        programs::take_over(&mut finished);
        let note =
            configured_by.map(|test| format!("the scheduler's configuration is that of the test `{test}`"));
        finished.record.notes.extend(note);
        let mut text = tell(&mut finished, request.settings);
        programs::describe(&mut text, &finished.record);
        if let Some(evidence) =
            finished.evidence.as_ref().filter(|_| finished.record.verdict != Verdict::Pass)
        {
            log::describe(&mut text, evidence, request.settings.raw_logs);
        }
        let text = render::for_stream(text, &std::io::stdout());
        Ok(CellEnd { verdict: finished.record.verdict, text })
    }
}

/// The presets that a scheduler's constraints accept.
fn presets(scheduler: &Scheduler) -> impl Iterator<Item = &'static Preset> {
    let constraints = scheduler.constraints;
    PRESETS.iter().filter(move |preset| constraints.accept(&preset.topology))
}

fn scheduler_named(declared: &Declared, name: &str) -> Result<&'static Scheduler, String> {
    let all = swept(declared);
    let found = all.iter().find(|(other, _)| other == name).map(|(_, scheduler)| *scheduler);
    found.ok_or_else(|| match &all[..] {
        [] => "it declares no BPF scheduler".to_owned(),
        _ => {
            let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
            format!("it has no BPF scheduler `{name}`; its BPF schedulers are {}", names.join(", "))
        }
    })
}
