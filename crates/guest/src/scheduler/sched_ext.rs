//! What the kernel says about sched_ext.

use std::fs;
use std::path::{Path, PathBuf};

/// sched_ext's folder in sysfs.
#[derive(Debug)]
pub(crate) struct SchedExt(PathBuf);

impl SchedExt {
    /// sched_ext of the kernel whose sysfs is mounted at `sysfs`; `None` when it has none.
    pub(crate) fn find(sysfs: &Path) -> Option<Self> {
        let folder = sysfs.join("kernel/sched_ext");
        folder.join("state").exists().then_some(Self(folder))
    }

    /// `enabled`, `disabled` or what comes in between.
    pub(crate) fn state(&self) -> String {
        self.read("state").unwrap_or_else(|| "unreadable".to_owned())
    }

    /// Whether a scheduler is enabled.
    pub(crate) fn enabled(&self) -> bool {
        self.state() == "enabled"
    }

    /// The name of the scheduler that is enabled.
    pub(crate) fn ops(&self) -> Option<String> {
        self.read("root/ops")
    }

    fn read(&self, file: &str) -> Option<String> {
        Some(fs::read_to_string(self.0.join(file)).ok()?.trim().to_owned())
    }
}
