//! What is there during all steps of a scenario.

use crate::{CgroupDef, Op, Payload};

/// What is there during all steps of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Backdrop {
    /// Cgroups with their workers.
    pub cgroups: Vec<CgroupDef>,
    /// External programs, outside of all cgroups.
    pub payloads: Vec<&'static Payload>,
    /// What is done once all of that is there.
    pub ops: Vec<Op>,
}

impl Backdrop {
    /// Nothing.
    pub const EMPTY: Self = Self { cgroups: Vec::new(), payloads: Vec::new(), ops: Vec::new() };

    /// Nothing yet.
    pub const fn new() -> Self {
        Self::EMPTY
    }

    /// Adds a cgroup.
    pub fn with_cgroup(mut self, cgroup: CgroupDef) -> Self {
        self.cgroups.push(cgroup);
        self
    }

    /// Adds an external program.
    pub fn with_payload(mut self, payload: &'static Payload) -> Self {
        self.payloads.push(payload);
        self
    }

    /// Adds something to do.
    pub fn with_op(mut self, op: Op) -> Self {
        self.ops.push(op);
        self
    }
}
