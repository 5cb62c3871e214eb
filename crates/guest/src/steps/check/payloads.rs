//! External programs that a plan starts, waits for and kills.

use ktstr_model::{Name, Payload};

use super::{Checked, World, words};
use crate::context::payload_among;
use crate::steps::plan::Part;

/// A program that would be running.
#[derive(Debug)]
pub(super) struct Started {
    pub name: &'static str,
    pub cell: Option<String>,
    pub lasting: bool,
}

impl Started {
    fn describe(&self) -> String {
        match &self.cell {
            Some(cell) => format!("{} in {cell}", self.name),
            None => self.name.to_owned(),
        }
    }
}

impl World<'_> {
    pub(super) fn start_payload(&mut self, part: &Part, payload: &Payload, cell: Option<&str>) -> Checked {
        payload_among(self.given.payloads, payload).map_err(words)?;
        if let Some(cell) = cell {
            self.cell(cell)?;
        }
        let same = |running: &&Started| running.name == payload.name && running.cell.as_deref() == cell;
        if let Some(running) = self.payloads.iter().find(same) {
            return Err(format!(
                "{} was started already; wait for it or kill it first, or start it in another cgroup",
                running.describe()
            ));
        }
        let started = Started { name: payload.name, cell: cell.map(str::to_owned), lasting: part.lasting };
        self.payloads.push(started);
        Ok(())
    }

    /// A program is waited for or killed.
    pub(super) fn end_payload(&mut self, name: &str, cell: Option<&Name>) -> Checked {
        if let Some(cell) = cell {
            self.cell(cell)?;
        }
        let there: Vec<String> = self.payloads.iter().map(Started::describe).collect();
        let of_cell = |running: &Started| cell.is_none_or(|cell| running.cell.as_deref() == Some(cell));
        self.payloads.retain(|running| !(running.name == name && of_cell(running)));
        if self.payloads.len() < there.len() {
            return Ok(());
        }
        let place = cell.map_or_else(String::new, |cell| format!(" in {cell}"));
        let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
        Err(format!("no payload {name} was started{place} that is not over by then; there are: {there}"))
    }
}
