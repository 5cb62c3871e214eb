//! Giving up a wait because somebody wants this process to end.
//!
//! A process that just ends takes its machines along, but leaves half a template behind. So one that hears signals calls
//! [`interrupt_waits`], and whoever waits for a machine cleans up and says that it was interrupted.

use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on all waits for machines of this process end at once, in [`VmError::Interrupted`](crate::VmError::Interrupted).
pub fn interrupt_waits() {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
