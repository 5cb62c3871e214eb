//! Ctrl-C in a campaign.

use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

extern "C" fn note(signal: libc::c_int) {
    INTERRUPTED.store(true, Ordering::Relaxed);
    // Who does not want to wait for the runs under way sends it again, which ends the process and so its machines.
    // SAFETY: async-signal-safe; installs the default disposition.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}

/// From now on SIGINT and SIGTERM are noted instead of ending the process.
pub(crate) fn watch() {
    let handler = note as extern "C" fn(libc::c_int) as libc::sighandler_t;
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: the handler stores to an atomic and sets a disposition; both are async-signal-safe.
        unsafe { libc::signal(signal, handler) };
    }
}

/// Whether one of them has come.
pub(crate) fn came() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
