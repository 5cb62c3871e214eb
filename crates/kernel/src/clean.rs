//! Which cached kernels to remove.

use crate::Slot;

/// What [`to_remove`] may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CleanChoice {
    /// How many of the newest whole entries stay.
    pub keep: usize,
    /// Only corrupt folders.
    pub corrupt_only: bool,
}

/// The folders to remove from a list in the order of [`Cache::list`](crate::Cache::list). A corrupt folder always goes
/// and never counts as kept.
pub fn to_remove(slots: Vec<Slot>, choice: CleanChoice) -> Vec<Slot> {
    let mut kept = 0;
    slots
        .into_iter()
        .filter(|slot| match slot {
            Slot::Corrupt { .. } => true,
            Slot::Ready(_) if choice.corrupt_only => false,
            Slot::Ready(_) => {
                kept += 1;
                kept > choice.keep
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{Cache, testing::add};

    #[test]
    fn keeps_the_newest_whole_entries() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::at(dir.path());
        for release in ["6.18.2", "7.3.4", "7.0.1", "9.9.9"] {
            add(&cache, release);
        }
        fs::write(dir.path().join("kernels/9.9.9/metadata.json"), "{").unwrap();
        let removed = |keep, corrupt_only| {
            let slots = to_remove(cache.list().unwrap(), CleanChoice { keep, corrupt_only });
            slots.iter().map(|slot| slot.key().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(removed(0, false), ["7.3.4", "7.0.1", "6.18.2", "9.9.9"]);
        assert_eq!(removed(1, false), ["7.0.1", "6.18.2", "9.9.9"]);
        assert_eq!(removed(2, false), ["6.18.2", "9.9.9"]);
        assert_eq!(removed(5, false), ["9.9.9"]);
        assert_eq!(removed(0, true), ["9.9.9"]);
    }
}
