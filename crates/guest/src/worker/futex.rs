//! Futexes in memory that processes share.

use std::sync::atomic::AtomicU32;

use rustix::io::Errno;
use rustix::thread::futex::{self, Flags};

use super::work::{Trouble, trouble};

/// Sleeps while `word` holds `expected`. Returns when woken, when it holds something else, and when a signal comes: look
/// again.
///
/// # Errors
/// When the kernel refuses.
pub(crate) fn wait(word: &AtomicU32, expected: u32) -> Result<(), Trouble> {
    match futex::wait(word, Flags::empty(), expected, None) {
        Ok(()) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
        Err(errno) => Err(trouble("wait for a futex")(errno)),
    }
}

/// Wakes up to `count` of those who wait for `word`.
///
/// # Errors
/// When the kernel refuses.
pub(crate) fn wake(word: &AtomicU32, count: usize) -> Result<(), Trouble> {
    let count = count.min(i32::MAX as usize) as u32;
    futex::wake(word, Flags::empty(), count).map(drop).map_err(trouble("wake a futex"))
}
