//! Changes of a tree that make does not see.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::export::source_files;
use crate::Error;

/// Whether a file was replaced after `since` by one that says it is older: unpacking and copying restore times. make
/// compares times alone, and would leave the old object in a kernel whose name says that it has the new source.
pub fn has_hidden_changes(tree: &Path, since: SystemTime) -> Result<bool, Error> {
    for file in source_files(tree)? {
        let path = tree.join(file);
        let found = fs::symlink_metadata(&path).map_err(Error::io("read", &path))?;
        // Nobody can set the time of a file's last change.
        let changed = time(found.ctime(), found.ctime_nsec());
        if changed > since && time(found.mtime(), found.mtime_nsec()) <= since {
            return Ok(true);
        }
    }
    Ok(false)
}

fn time(seconds: i64, ns: i64) -> SystemTime {
    let whole = Duration::from_secs(seconds.try_into().unwrap_or(0));
    UNIX_EPOCH + whole + Duration::from_nanos(ns.try_into().unwrap_or(0))
}
