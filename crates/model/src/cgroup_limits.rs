//! What a cgroup's tasks may use, apart from CPUs.

/// A limit of bytes or tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// At most this many.
    At(u64),
    /// No limit (`max`).
    Unlimited,
}

impl std::fmt::Display for Limit {
    /// As the kernel's files have it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::At(value) => value.fmt(f),
            Self::Unlimited => f.write_str("max"),
        }
    }
}

/// CPU time that a cgroup may use in each period (`cpu.max`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CpuMax {
    /// CPU time in microseconds, at least 1000; [`Limit::Unlimited`] for as much as there is.
    pub quota_us: Limit,
    /// The period in microseconds, 1000 to 1,000,000.
    pub period_us: u64,
}

impl std::fmt::Display for CpuMax {
    /// As `cpu.max` has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.quota_us, self.period_us)
    }
}

/// The kernel's files of a cgroup that this sets. What is `None` stays as the kernel has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CgroupLimits {
    /// `cpu.max`.
    pub cpu_max: Option<CpuMax>,
    /// `cpu.weight`, 1 to 10000; the kernel's default is 100.
    pub cpu_weight: Option<u64>,
    /// `memory.min`: bytes that are never reclaimed.
    pub memory_min: Option<Limit>,
    /// `memory.low`: bytes that are reclaimed last.
    pub memory_low: Option<Limit>,
    /// `memory.high`: bytes above which tasks are slowed down.
    pub memory_high: Option<Limit>,
    /// `memory.max`: bytes above which tasks are killed.
    pub memory_max: Option<Limit>,
    /// `memory.swap.max`: bytes of swap.
    pub memory_swap_max: Option<Limit>,
    /// `io.weight`, 1 to 10000; the kernel's default is 100.
    pub io_weight: Option<u64>,
    /// `pids.max`: tasks above which forks fail.
    pub pids_max: Option<Limit>,
}

/// A value that the kernel would refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file} = {value} is outside {range}")]
pub struct CgroupLimitError {
    /// The kernel's file.
    pub file: &'static str,
    /// What was asked for.
    pub value: String,
    /// What it may be.
    pub range: &'static str,
}

impl CgroupLimits {
    /// The files to write, with what to write into them.
    ///
    /// # Errors
    /// When the kernel would refuse a value.
    pub fn files(&self) -> Result<Vec<(&'static str, String)>, CgroupLimitError> {
        self.check()?;
        let mut files = Vec::new();
        let mut add = |file, value: Option<String>| files.extend(value.map(|value| (file, value)));
        let limit = |limit: Option<Limit>| limit.map(|limit| limit.to_string());
        add("cpu.max", self.cpu_max.map(|max| max.to_string()));
        add("cpu.weight", self.cpu_weight.map(|weight| weight.to_string()));
        add("memory.min", limit(self.memory_min));
        add("memory.low", limit(self.memory_low));
        add("memory.high", limit(self.memory_high));
        add("memory.max", limit(self.memory_max));
        add("memory.swap.max", limit(self.memory_swap_max));
        add("io.weight", self.io_weight.map(|weight| format!("default {weight}")));
        add("pids.max", limit(self.pids_max));
        Ok(files)
    }

    fn check(&self) -> Result<(), CgroupLimitError> {
        let out = |file, value: String, range| Err(CgroupLimitError { file, value, range });
        for (file, weight) in [("cpu.weight", self.cpu_weight), ("io.weight", self.io_weight)] {
            if let Some(weight) = weight.filter(|weight| !(1..=10_000).contains(weight)) {
                return out(file, weight.to_string(), "1 to 10000");
            }
        }
        let Some(max) = self.cpu_max else { return Ok(()) };
        if !(1_000..=1_000_000).contains(&max.period_us) {
            return out("the period of cpu.max", max.period_us.to_string(), "1000 to 1000000 us");
        }
        match max.quota_us {
            Limit::At(quota @ 0..1_000) => out("the quota of cpu.max", quota.to_string(), "1000 us and more"),
            _ => Ok(()),
        }
    }
}
