//! The cells that a budget has time for, in a file for the test processes.

use std::collections::{BTreeSet, HashSet};
use std::io::Write as _;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Context as _, Result};
use ktstr_model::Mode;
use ktstr_vm::{SavedKind, saved_machines};
use tempfile::NamedTempFile;

use super::Run;
use super::budget::{Budget, choose};
use super::cells::Planned;
use super::estimate::Estimates;
use super::summary::LeftOut;

/// What was chosen.
pub struct Selection {
    /// What was left out.
    pub left_out: LeftOut,
    /// Names of the others.
    kept: BTreeSet<String>,
    /// The same, one a line.
    file: NamedTempFile,
}

impl Selection {
    /// Chooses among the cells that nextest would run, and says so. Those that will be skipped take no time and cover nothing:
    /// they stay, to be told of.
    ///
    /// # Errors
    /// When there is no room for temporary files.
    pub fn make(run: &Run<'_>, planned: &[Planned], seconds: u64) -> Result<Self> {
        let (skipped, carried): (Vec<&Planned>, Vec<&Planned>) =
            planned.iter().partition(|test| test.skipped.is_some());
        let names = || carried.iter().map(|test| test.name.as_str());
        let templates = saved_machines(run.cache.root()).into_iter();
        let templates = templates.filter(|machine| machine.kind == SavedKind::Template);
        let keys: HashSet<String> = templates
            .filter_map(|machine| Some(machine.folder.file_name()?.to_string_lossy().into_owned()))
            .collect();
        let estimates = Estimates::new(run.records.read(None), run.mode, run.kernels, keys);
        let candidates = estimates.candidates(names());
        // A real-time machine may take all CPUs.
        let at_once = match run.mode {
            Mode::Deterministic => available_parallelism().map_or(1, |count| count.get() as u32),
            Mode::RealTime => 1,
        };
        let given = estimates.given(names());
        let chosen = choose(&candidates, &Budget { wall: Duration::from_secs(seconds), at_once, given });
        let left_out = LeftOut { cells: candidates.len() - chosen.len(), budget_s: seconds };
        eprintln!(
            "ktstr: a budget of {seconds} s has time for {} of {} cells, by the records in {}",
            chosen.len(),
            candidates.len(),
            run.records.root().display()
        );
        let mut file = NamedTempFile::new().context("making a temporary file for the choice of cells")?;
        let chosen = chosen.iter().map(|at| &candidates[*at].name);
        let kept: BTreeSet<String> = chosen.chain(skipped.iter().map(|test| &test.name)).cloned().collect();
        for name in &kept {
            writeln!(file, "{name}").context("writing the choice of cells")?;
        }
        Ok(Self { left_out, kept, file })
    }

    /// Leaves out of `planned` what was left out.
    pub fn keep_chosen(&self, planned: &mut Vec<Planned>) {
        planned.retain(|test| !test.is_cell() || self.kept.contains(&test.name));
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}
