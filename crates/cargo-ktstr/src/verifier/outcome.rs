//! What came of the cells.

use ktstr_model::{BpfObjects, Cause, Topology, Verdict};
use ktstr_results::Record;
use serde::Serialize;

use super::cells::Cell;

/// A cell with what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The cell.
    #[serde(flatten)]
    pub cell: Cell,
    /// The verdict; none when the cell left no record.
    pub verdict: Option<Verdict>,
    /// Why.
    pub cause: Option<Cause>,
    /// Why, in words.
    pub headline: String,
    /// The topology.
    pub topology: Option<Topology>,
    /// Guest time until the scheduler was enabled, in nanoseconds.
    pub enabled_after_ns: Option<u64>,
    /// What it loaded.
    pub bpf: Option<BpfObjects>,
}

impl Outcome {
    /// What the newest record of the cell says.
    pub fn of(cell: Cell, records: &[Record]) -> Self {
        let name = cell.name();
        let newest = records.iter().filter(|record| record.cell.as_ref() == Some(&name));
        let Some(record) = newest.max_by_key(|record| record.began_unix_ms) else {
            let headline = "it left no record".to_owned();
            return Self {
                cell,
                verdict: None,
                cause: None,
                headline,
                topology: None,
                enabled_after_ns: None,
                bpf: None,
            };
        };
        let scheduler = record.scheduler_report.as_ref();
        Self {
            cell,
            verdict: Some(record.verdict),
            cause: Some(record.cause),
            headline: record.headline.clone(),
            topology: record.topology,
            enabled_after_ns: scheduler.and_then(|report| report.enabled_after_ns),
            bpf: scheduler.and_then(|report| report.bpf.clone()),
        }
    }

    /// Whether the scheduler was loaded.
    pub fn passed(&self) -> bool {
        self.verdict == Some(Verdict::Pass)
    }

    /// The instructions that the verifier walked of a program.
    pub fn verified_insns(&self, program: &str) -> Option<u32> {
        let programs = &self.bpf.as_ref()?.programs;
        Some(programs.iter().find(|other| other.name == program)?.verified_insns)
    }
}
