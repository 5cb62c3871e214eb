//! Folders of runs: one for each kernel and commit.

use std::fmt;

use crate::commit::Commit;

/// The name of a folder of runs: `KERNEL-COMMIT` or `KERNEL-COMMIT-dirty`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolderName {
    /// The kernel's release, or one of the words below.
    pub kernel: String,
    /// The commit of the workspace under test.
    pub commit: Commit,
}

impl RunFolderName {
    /// Stands for the kernel of runs without a machine.
    pub const ON_HOST: &str = "host";
    /// Stands for the kernel of runs that ended before one was found.
    pub const NO_KERNEL: &str = "nokernel";

    /// Reads a name. A kernel's release may have hyphens itself, a commit has none.
    pub fn parse(name: &str) -> Option<Self> {
        let (clean, is_dirty) = match name.strip_suffix("-dirty") {
            Some(clean) => (clean, true),
            None => (name, false),
        };
        let (kernel, short) = clean.rsplit_once('-')?;
        let commit = Commit { short: short.to_owned(), is_dirty };
        (!kernel.is_empty() && !short.is_empty()).then(|| Self { kernel: kernel.to_owned(), commit })
    }
}

impl fmt::Display for RunFolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.kernel.replace('/', "_"), self.commit)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_kernel_and_commit() {
        let name = RunFolderName::parse("7.3.4+deb13-cloud-amd64-abc1234-dirty").unwrap();
        assert_eq!(
            (name.kernel.as_str(), name.commit.short.as_str()),
            ("7.3.4+deb13-cloud-amd64", "abc1234")
        );
        assert!(name.commit.is_dirty);
        for wrong in ["", "abc1234", "-abc1234", "7.3.4-", "tmp"] {
            assert_eq!(RunFolderName::parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_it_prints(kernel in "[0-9a-z.+][0-9a-z.+-]{0,30}", short in "[0-9a-f]{7,12}", is_dirty: bool) {
            let name = RunFolderName { kernel, commit: Commit { short, is_dirty } };
            prop_assert_eq!(RunFolderName::parse(&name.to_string()), Some(name));
        }
    }
}
