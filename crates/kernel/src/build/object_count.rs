//! How many objects a build compiles, so that its progress has an end.

use std::{fs, path::PathBuf};

use crate::{Cache, KernelVersion, checksum::write_aside};

/// Counted with ktstr's fragment, for the first build of a series on a host.
const COUNTED: [(u16, u16, u64); 3] = [(6, 12, 1605), (6, 18, 1635), (7, 3, 1676)];

/// About how many: as the last whole build of this series compiled here, else as one of the series before it did.
pub fn expected(cache: &Cache, version: KernelVersion) -> u64 {
    let last = fs::read_to_string(memory(cache, version)).ok().and_then(|text| text.trim().parse().ok());
    let is_reached =
        |(major, minor, _): &&(u16, u16, u64)| (*major, *minor) <= (version.major, version.minor);
    let counted = COUNTED.iter().rev().find(is_reached).unwrap_or(&COUNTED[0]).2;
    last.unwrap_or(counted)
}

/// Keeps what a whole build compiled.
pub fn remember(cache: &Cache, version: KernelVersion, count: u64) {
    // Losing it costs a less exact bar.
    let _ = write_aside(&memory(cache, version), count.to_string().as_bytes());
}

fn memory(cache: &Cache, version: KernelVersion) -> PathBuf {
    cache.builds().join(format!(".objects-of-{}.{}", version.major, version.minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_build_of_a_series_counts_before_ours() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::at(dir.path());
        let expected = |major, minor| expected(&cache, KernelVersion::new(major, minor, 9));
        assert_eq!(expected(6, 12), COUNTED[0].2);
        assert_eq!(expected(7, 0), COUNTED[1].2);
        assert_eq!(expected(8, 1), COUNTED[2].2);
        remember(&cache, KernelVersion::new(7, 0, 1), 777);
        assert_eq!((expected(7, 0), expected(7, 1)), (777, COUNTED[1].2));
    }
}
