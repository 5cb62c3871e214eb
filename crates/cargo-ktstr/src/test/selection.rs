//! The cells that a budget has time for, in a file for the test processes.

use std::collections::HashSet;
use std::io::Write as _;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Context as _, Result};
use ktstr_model::Mode;
use ktstr_vm::{SavedKind, saved_machines};
use tempfile::NamedTempFile;

use super::budget::{Budget, choose};
use super::estimate::Estimates;
use super::{Run, nextest_list};

/// What was chosen.
pub struct Selection {
    /// The budget.
    pub budget: Duration,
    /// How many cells it left out.
    pub left_out: usize,
    /// Names of cells, one a line.
    file: NamedTempFile,
}

impl Selection {
    /// Chooses among the cells that nextest would run, and says so.
    ///
    /// # Errors
    /// When nextest cannot list them.
    pub fn make(run: &Run<'_>, seconds: u64) -> Result<Self> {
        let budget = Duration::from_secs(seconds);
        let selected = nextest_list::selected(&run.nextest_arguments(), |command| run.tell_tests(command))?;
        let names = || selected.iter().map(String::as_str);
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
        let chosen = choose(&candidates, &Budget { wall: budget, at_once, given });
        let left_out = candidates.len() - chosen.len();
        eprintln!(
            "ktstr: a budget of {seconds} s has time for {} of {} cells, by the records in {}",
            chosen.len(),
            candidates.len(),
            run.records.root().display()
        );
        let mut file = NamedTempFile::new().context("making a temporary file for the choice of cells")?;
        for at in chosen {
            writeln!(file, "{}", candidates[at].name).context("writing the choice of cells")?;
        }
        Ok(Self { budget, left_out, file })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}
