//! When the threads of a perturbation act.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::monotonic_ns;

/// The time since the test's body began, and its end.
#[derive(Debug, Default)]
pub(super) struct Timetable {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    ready: usize,
    began_ns: Option<u64>,
    ended: bool,
}

impl Timetable {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    /// Says that one more thread is about to wait for its time.
    pub(super) fn one_is_ready(&self) {
        self.change(|state| state.ready += 1);
    }

    /// Waits until `threads` have said so.
    pub(super) fn wait_until_ready(&self, threads: usize) {
        let mut state = self.state();
        while state.ready < threads {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The body begins.
    pub(super) fn begin(&self) {
        self.change(|state| state.began_ns = Some(monotonic_ns()));
    }

    /// The body has ended: nobody is to wait any more.
    pub(super) fn end(&self) {
        self.change(|state| state.ended = true);
    }

    /// Nanoseconds since the body began; 0 before.
    pub(super) fn elapsed_ns(&self) -> u64 {
        self.state().began_ns.map_or(0, |began_ns| monotonic_ns().saturating_sub(began_ns))
    }

    /// Waits until this time of the body, or until the body has ended; whether the time has come.
    pub(super) fn wait_until(&self, at_ns: u64) -> bool {
        let mut state = self.state();
        while !state.ended {
            state = match state.began_ns {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(began_ns) => {
                    let left_ns = began_ns.saturating_add(at_ns).saturating_sub(monotonic_ns());
                    if left_ns == 0 {
                        return true;
                    }
                    let left = Duration::from_nanos(left_ns);
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_comes_after_the_beginning_and_not_after_the_end() {
        let timetable = Timetable::default();
        let (first, seen) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| {
                timetable.one_is_ready();
                let came = timetable.wait_until(1_000_000);
                first.send((came, timetable.elapsed_ns())).unwrap();
                timetable.wait_until(u64::MAX)
            });
            timetable.wait_until_ready(1);
            assert_eq!(timetable.elapsed_ns(), 0);
            timetable.begin();
            let (came, elapsed_ns) = seen.recv().unwrap();
            assert!(came && elapsed_ns >= 1_000_000);
            timetable.end();
            assert!(!waits.join().unwrap());
        });
        assert!(!timetable.wait_until(0));
    }
}
