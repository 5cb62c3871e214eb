//! Whether a tree is still what it was when its state was found, told from the stamps of all that is in it.
//!
//! A folder's stamp changes when something is added to it, removed from it or renamed in it, a file's when it is
//! written; so a tree in which no stamp has changed holds what it held. One `stat` each is the least that asking costs:
//! no content is read, no folder listed, no git asked for more than its commit.

use std::{
    ffi::{CStr, CString},
    fs, io,
    os::{fd::AsFd, unix::ffi::OsStrExt},
    path::Path,
    thread,
    time::SystemTime,
};

use rustix::fs::{CWD, Mode, OFlags, openat};
use serde::{Deserialize, Serialize};

use super::tree_walk::Walked;
use crate::{
    Error,
    checksum::{STAMP_BYTES, Stamp, write_aside},
};

/// What was found out about a tree.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeState {
    /// As [`TreeContent::identity`](super::tree_content::TreeContent).
    pub identity: String,
    /// As [`TreeContent::is_changed`](super::tree_content::TreeContent).
    pub is_changed: Option<bool>,
    /// What was checked out.
    pub commit: Option<String>,
}

/// The stamps of a tree's folders and files at one time.
pub struct TreeSnapshot {
    /// Each one's stamp and path, which a zero byte ends.
    records: Vec<u8>,
    is_settled: bool,
}

impl TreeSnapshot {
    /// The stamps of what was walked after `now`.
    pub fn take(tree: &Path, walked: &Walked, now: SystemTime) -> Result<Self, Error> {
        let read = || Error::io("read", tree);
        let top = open(tree).map_err(read())?;
        let mut snapshot = Self { records: Vec::new(), is_settled: true };
        for path in walked.folders.iter().chain(&walked.files) {
            let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
            let name =
                CString::new(path.as_os_str().as_bytes()).map_err(|error| read()(io::Error::other(error)))?;
            let stamp = Stamp::at(&top, &name).map_err(Error::io("read", &tree.join(path)))?;
            snapshot.is_settled &= stamp.is_settled(now);
            snapshot.records.extend_from_slice(&stamp.to_bytes());
            snapshot.records.extend_from_slice(name.as_bytes_with_nul());
        }
        Ok(snapshot)
    }

    /// Remembers, in the file `memory`, that the tree was in this state then.
    pub fn keep(&self, memory: &Path, state: &TreeState) {
        // What is not settled may change without a sign. Where nothing can be written (a read-only cache), the next
        // process finds out again.
        if self.is_settled
            && let Ok(mut text) = serde_json::to_vec(state)
        {
            text.push(b'\n');
            text.extend_from_slice(&self.records);
            let _ = write_aside(memory, &text);
        }
    }
}

/// The state that the file `memory` remembers, if nothing in the tree has changed since and `commit` is checked out.
pub fn unchanged(tree: &Path, memory: &Path, commit: Option<&str>) -> Option<TreeState> {
    let kept = fs::read(memory).ok()?;
    let end = kept.iter().position(|byte| *byte == b'\n')?;
    let state: TreeState = serde_json::from_slice(&kept[..end]).ok()?;
    if state.commit.as_deref() != commit {
        return None;
    }
    let records = records(&kept[end + 1..])?;
    let top = open(tree).ok()?;
    let is_same = |(stamp, path): &(&[u8], &CStr)| {
        Stamp::at(&top, path).is_ok_and(|now| now.to_bytes().as_slice() == *stamp)
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let parts = records.chunks(records.len().div_ceil(threads).max(1));
    let is_unchanged = thread::scope(|scope| {
        let begin = |part| scope.spawn(move || <[_]>::iter(part).all(is_same));
        let running: Vec<_> = parts.map(begin).collect();
        running.into_iter().all(|thread| thread.join().is_ok_and(|is_same| is_same))
    });
    is_unchanged.then_some(state)
}

fn open(tree: &Path) -> io::Result<impl AsFd + Sync> {
    Ok(openat(CWD, tree, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

/// Stamps and paths; `None` when the file is damaged.
fn records(mut kept: &[u8]) -> Option<Vec<(&[u8], &CStr)>> {
    let mut records = Vec::new();
    while !kept.is_empty() {
        let (stamp, rest) = kept.split_at_checked(STAMP_BYTES)?;
        let path = CStr::from_bytes_until_nul(rest).ok()?;
        records.push((stamp, path));
        kept = &rest[path.count_bytes() + 1..];
    }
    // An empty list would hold of every tree.
    (!records.is_empty()).then_some(records)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{File, Permissions},
        os::unix::fs::{PermissionsExt, symlink},
        time::Duration,
    };

    use super::*;
    use crate::build::tree_walk::{is_product, walk};

    fn state(commit: Option<&str>) -> TreeState {
        TreeState { identity: "planted".into(), is_changed: Some(true), commit: commit.map(str::to_owned) }
    }

    /// Takes a snapshot when all that was done so far is long ago.
    fn take(tree: &Path) -> TreeSnapshot {
        let later = SystemTime::now() + Duration::from_secs(10);
        TreeSnapshot::take(tree, &walk(tree, is_product).unwrap(), later).unwrap()
    }

    #[test]
    fn every_change_shows() {
        let dir = tempfile::tempdir().unwrap();
        let (tree, memory) = (&dir.path().join("tree"), &dir.path().join("memory"));
        fs::create_dir_all(tree.join("mm/deep")).unwrap();
        fs::write(tree.join("mm/deep/a.c"), "one").unwrap();
        fs::write(tree.join("mm/b.c"), "b").unwrap();
        symlink("b.c", tree.join("mm/link")).unwrap();
        assert_eq!(unchanged(tree, memory, None), None, "nothing is remembered yet");

        let changes: [&dyn Fn(); 10] = [
            &|| fs::write(tree.join("mm/deep/a.c"), "two").unwrap(),
            &|| fs::write(tree.join("mm/deep/new.c"), "").unwrap(),
            &|| fs::rename(tree.join("mm/deep/new.c"), tree.join("mm/deep/old.c")).unwrap(),
            &|| fs::remove_file(tree.join("mm/deep/old.c")).unwrap(),
            &|| fs::create_dir(tree.join("mm/empty")).unwrap(),
            &|| fs::remove_dir(tree.join("mm/empty")).unwrap(),
            &|| fs::set_permissions(tree.join("mm/b.c"), Permissions::from_mode(0o755)).unwrap(),
            &|| {
                // As unpacking does it: another content, the same length and time.
                let time = fs::metadata(tree.join("mm/b.c")).unwrap().modified().unwrap();
                fs::write(tree.join("mm/b.c"), "c").unwrap();
                File::options().write(true).open(tree.join("mm/b.c")).unwrap().set_modified(time).unwrap();
            },
            &|| {
                fs::remove_file(tree.join("mm/link")).unwrap();
                symlink("a.c", tree.join("mm/link")).unwrap();
            },
            &|| {
                fs::rename(tree.join("mm"), dir.path().join("elsewhere")).unwrap();
                symlink("../elsewhere", tree.join("mm")).unwrap();
            },
        ];
        for (nth, change) in changes.into_iter().enumerate() {
            take(tree).keep(memory, &state(None));
            assert_eq!(unchanged(tree, memory, None), Some(state(None)), "before change {nth}");
            // Past the tick of the file system's clock.
            thread::sleep(Duration::from_millis(20));
            change();
            assert_eq!(unchanged(tree, memory, None), None, "change {nth}");
        }
    }

    #[test]
    fn holds_for_its_commit_and_once_settled() {
        let dir = tempfile::tempdir().unwrap();
        let (tree, memory) = (&dir.path().join("tree"), &dir.path().join("memory"));
        fs::create_dir(tree).unwrap();
        fs::write(tree.join("a"), "one").unwrap();
        let walked = walk(tree, is_product).unwrap();
        TreeSnapshot::take(tree, &walked, SystemTime::now()).unwrap().keep(memory, &state(None));
        assert!(!memory.exists(), "a file that was written just now may be written again");

        take(tree).keep(memory, &state(Some("c0ffee")));
        assert_eq!(unchanged(tree, memory, Some("c0ffee")), Some(state(Some("c0ffee"))));
        assert_eq!(unchanged(tree, memory, Some("decaf")), None);
        assert_eq!(unchanged(tree, memory, None), None);

        let whole = fs::read(memory).unwrap();
        let end = whole.iter().position(|byte| *byte == b'\n').unwrap();
        for cut in [0, 1, end, end + 1, end + 20, whole.len() - 1] {
            fs::write(memory, &whole[..cut]).unwrap();
            assert_eq!(unchanged(tree, memory, Some("c0ffee")), None, "cut at {cut}");
        }
    }
}
