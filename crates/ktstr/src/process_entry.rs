//! The process entry: what a test binary does first, on the host and in a guest.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{KTSTR_SCHEDULERS, KTSTR_TESTS, explore, guest, harness};

static ENTERED: AtomicBool = AtomicBool::new(false);

/// In a guest, runs the test that the guest was started for and ends the process. On the host, lists the cells of this
/// binary for a runner, or runs one and ends the process, or does so with a whole campaign; otherwise does nothing.
///
/// Each declared test puts it among the functions that the loader calls before `main`; only the first call acts. A
/// panic that reached it would abort the process, as in every `extern "C"` function, so nothing unwinds into the
/// loader.
pub extern "C" fn process_entry() {
    if ENTERED.swap(true, Ordering::Relaxed) {
        return;
    }
    if guest::in_guest() {
        guest::run_in_guest(KTSTR_TESTS.iter());
    }
    let declared = harness::Declared { tests: &KTSTR_TESTS, schedulers: &KTSTR_SCHEDULERS };
    explore::process_entry(&declared);
    harness::process_entry(&declared);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[ktstr_test(host_only)]
    #[ignore = "declared so that this binary has a process entry"]
    fn any_test(_: &Ctx) -> Result<AssertResult> {
        Ok(AssertResult::pass())
    }

    #[test]
    fn ran_before_main_and_returned() {
        assert!(ENTERED.load(Ordering::Relaxed), "no constructor called the process entry");
        process_entry();
    }
}
