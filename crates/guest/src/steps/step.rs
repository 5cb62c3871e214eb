//! One step of a scenario.

use std::fmt;

use ktstr_model::{CgroupDef, HoldSpec, Op};

use crate::context::Ctx;

/// The cgroups of a step with their workers.
#[derive(Clone)]
pub enum Setup {
    /// These.
    Defs(Vec<CgroupDef>),
    /// Those that this function says, given the machine and the test.
    Factory(fn(&Ctx) -> Vec<CgroupDef>),
}

impl Setup {
    /// The cgroups.
    pub fn resolve(&self, ctx: &Ctx) -> Vec<CgroupDef> {
        match self {
            Self::Defs(defs) => defs.clone(),
            Self::Factory(factory) => factory(ctx),
        }
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self::Defs(Vec::new())
    }
}

impl From<Vec<CgroupDef>> for Setup {
    fn from(defs: Vec<CgroupDef>) -> Self {
        Self::Defs(defs)
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defs(defs) => f.debug_tuple("Defs").field(defs).finish(),
            Self::Factory(_) => f.write_str("Factory"),
        }
    }
}

/// One step of a scenario: its cgroups are set up, its operations are done in order, and then it lasts for a time.
#[derive(Clone, Debug)]
pub struct Step {
    /// Cgroups that the step sets up, with their workers. They go when the step is over.
    pub setup: Setup,
    /// What is done once they are there.
    pub ops: Vec<Op>,
    /// How long it lasts after that.
    pub hold: HoldSpec,
}

impl Step {
    /// A step that does something.
    pub fn new(ops: Vec<Op>, hold: HoldSpec) -> Self {
        Self { setup: Setup::default(), ops, hold }
    }

    /// A step with cgroups of its own.
    pub fn with_defs(defs: Vec<CgroupDef>, hold: HoldSpec) -> Self {
        Self { setup: Setup::Defs(defs), ops: Vec::new(), hold }
    }

    /// A step whose cgroups depend on the machine.
    pub fn with_factory(factory: fn(&Ctx) -> Vec<CgroupDef>, hold: HoldSpec) -> Self {
        Self { setup: Setup::Factory(factory), ops: Vec::new(), hold }
    }

    /// This step with these operations.
    pub fn with_ops(self, ops: Vec<Op>) -> Self {
        Self { ops, ..self }
    }
}
