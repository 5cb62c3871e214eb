//! Which CPUs a cgroup's tasks could use, at one time and another.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ktstr_model::CpuSet;

/// The effective cpusets that a cgroup has had, as far as anybody looked.
#[derive(Debug)]
pub(crate) struct CpusetHistory {
    folder: PathBuf,
    had: Mutex<Vec<CpuSet>>,
}

impl CpusetHistory {
    /// That of the cgroup in `folder`; nobody has looked yet.
    pub(crate) fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), had: Mutex::default() }
    }

    /// Looks, and keeps what there is now; a cgroup that is gone or has no cpuset adds nothing. How many there were
    /// before the present one.
    pub(crate) fn look(&self) -> usize {
        let text = fs::read_to_string(self.folder.join("cpuset.cpus.effective"));
        let now = text.ok().and_then(|text| text.trim().parse().ok());
        let mut had = self.had.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(now) = now.filter(|now| had.last() != Some(now)) {
            had.push(now);
        }
        had.len().saturating_sub(1)
    }

    /// All CPUs of those from number `from` on, up to number `until`.
    pub(crate) fn between(&self, from: usize, until: usize) -> CpuSet {
        let had = self.had.lock().unwrap_or_else(PoisonError::into_inner);
        let stretch = had.iter().take(until + 1).skip(from);
        stretch.fold(CpuSet::default(), |all, cpus| all.union(cpus))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_cpusets_are_kept_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let history = CpusetHistory::of(folder.path());
        assert_eq!((history.look(), history.between(0, 9)), (0, CpuSet::default()), "no cpuset");
        for (text, number) in [("0-3\n", 0), ("0-3\n", 0), ("1\n", 1), ("4-5\n", 2)] {
            fs::write(folder.path().join("cpuset.cpus.effective"), text).unwrap();
            assert_eq!(history.look(), number, "{text}");
        }
        assert_eq!(history.between(1, 2).to_string(), "1,4-5");
        assert_eq!(history.between(0, 0).to_string(), "0-3");
        fs::remove_file(folder.path().join("cpuset.cpus.effective")).unwrap();
        assert_eq!(history.look(), 2, "a cgroup that is gone");
    }
}
