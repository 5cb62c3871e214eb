//! What is known of the host of a run.

use std::fs;

use serde::{Deserialize, Serialize};

/// The host of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostFacts {
    /// The first CPU's `model name`; empty when the kernel tells none.
    pub cpu_model: String,
    /// CPUs that this process may use.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mb: u64,
    /// The release of its kernel.
    pub kernel: String,
}

impl HostFacts {
    /// Reads `/proc`. What cannot be read is left empty.
    pub fn of_this_host() -> Self {
        let text = |path| fs::read_to_string(path).unwrap_or_default();
        let cpus = std::thread::available_parallelism().map_or(0, |cpus| cpus.get() as u32);
        let memory_kib = value(&text("/proc/meminfo"), "MemTotal")
            .and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok());
        Self {
            cpu_model: value(&text("/proc/cpuinfo"), "model name").unwrap_or_default().to_owned(),
            cpus,
            memory_mb: memory_kib.unwrap_or(0) / 1024,
            kernel: text("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }
}

/// The value of the first line `KEY : VALUE`.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.into_iter().find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_first_line_of_a_key() {
        let text = "processor\t: 0\nmodel name\t: A: fast one\nprocessor\t: 1\nmodel name\t: another\n";
        assert_eq!(value(text, "model name"), Some("A: fast one"));
        assert_eq!(value(text, "flags"), None);
        let host = HostFacts::of_this_host();
        assert!(host.cpus > 0 && host.memory_mb > 0 && !host.kernel.is_empty(), "{host:?}");
    }
}
