//! What runs can differ in.

use std::fmt;

use crate::sample::Sample;

/// A thing in which two runs may differ, and by which they are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dimension {
    /// The folder of runs.
    Run,
    /// The kernel's release.
    Kernel,
    /// The commit of the workspace under test.
    Commit,
    /// The scheduler's name.
    Scheduler,
    /// The machine's topology.
    Topology,
    /// The mode.
    Mode,
    /// The seed.
    Seed,
    /// The test.
    Test,
}

impl Dimension {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Test,
        Self::Scheduler,
        Self::Topology,
        Self::Kernel,
        Self::Mode,
        Self::Commit,
        Self::Run,
        Self::Seed,
    ];

    /// The word for it, on the command line too.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Kernel => "kernel",
            Self::Commit => "commit",
            Self::Scheduler => "scheduler",
            Self::Topology => "topology",
            Self::Mode => "mode",
            Self::Seed => "seed",
            Self::Test => "test",
        }
    }

    /// The dimension with that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.name() == name)
    }

    /// Where `sample` stands in it.
    pub(crate) fn value(self, sample: &Sample) -> String {
        let or_none = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
        match self {
            Self::Run => sample.run.clone(),
            Self::Kernel => or_none(sample.kernel.as_ref().map(|kernel| kernel.release.clone())),
            Self::Commit => sample.commit.to_string(),
            Self::Scheduler => sample.scheduler.clone(),
            Self::Topology => or_none(sample.topology.map(|topology| topology.to_string())),
            Self::Mode => or_none(sample.mode.map(|mode| mode.to_string())),
            Self::Seed => sample.seed.to_string(),
            Self::Test => sample.test.clone(),
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
