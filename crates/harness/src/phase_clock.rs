//! How long the phases of a run take.

use std::time::{Duration, Instant};

use ktstr_vm::Progress;

/// Measures phases one after the other, without the time in which machines waited for room on the host.
pub(crate) struct PhaseClock {
    lap_began: Instant,
    waited_in_lap: Duration,
    waited: Duration,
}

impl PhaseClock {
    /// The first phase begins now.
    pub fn start() -> Self {
        Self { lap_began: Instant::now(), waited_in_lap: Duration::ZERO, waited: Duration::ZERO }
    }

    /// Ends a phase; its milliseconds go to `phase`.
    pub fn lap(&mut self, phase: &mut f64) {
        let now = Instant::now();
        *phase = (now - self.lap_began).saturating_sub(self.waited_in_lap).as_secs_f64() * 1e3;
        *self = Self { lap_began: now, waited_in_lap: Duration::ZERO, ..*self };
    }

    /// Milliseconds of waiting in all phases.
    pub fn waited_ms(&self) -> f64 {
        self.waited.as_secs_f64() * 1e3
    }
}

impl Progress for PhaseClock {
    fn slow(&mut self, what: &str) {
        announce(what);
    }

    fn waited(&mut self, time: Duration) {
        self.waited_in_lap += time;
        self.waited += time;
    }
}

/// One line on stderr.
pub(crate) fn announce(what: &str) {
    eprintln!("ktstr: {what}");
}
