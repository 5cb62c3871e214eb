//! Links below `/dev` that udev makes elsewhere.

use std::os::unix::fs::symlink;

/// Programs that are to write to `/dev/stdout` or read from `/dev/fd/3` find them.
const LINKS: [(&str, &str); 4] = [
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
];

/// Makes those that are not there.
pub(crate) fn make() {
    for (target, link) in LINKS {
        // What is there already is good, and a program that misses one says so.
        drop(symlink(target, link));
    }
}
