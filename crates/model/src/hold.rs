//! How long a step lasts.

use std::time::Duration;

/// How long a step lasts after its operations are done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HoldSpec {
    /// This fraction of the test's duration, 0 to 1.
    Frac(f64),
    /// This long.
    Fixed(Duration),
    /// What is left of the test's duration, with the step's operations repeated each time this interval is over.
    Loop {
        /// Time from one round to the next.
        interval: Duration,
    },
}

impl HoldSpec {
    /// The whole of the test's duration.
    pub const FULL: Self = Self::Frac(1.0);

    /// [`Frac`](Self::Frac).
    pub const fn frac(fraction: f64) -> Self {
        Self::Frac(fraction)
    }

    /// [`Fixed`](Self::Fixed).
    pub const fn fixed(duration: Duration) -> Self {
        Self::Fixed(duration)
    }

    /// [`Loop`](Self::Loop).
    pub const fn loop_at(interval: Duration) -> Self {
        Self::Loop { interval }
    }
}
