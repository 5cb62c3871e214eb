//! What some work types are told.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A part of [`WorkType::Sequence`](crate::WorkType::Sequence).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// Computes for this long.
    Spin(Duration),
    /// Sleeps for this long.
    Sleep(Duration),
    /// Yields again and again for this long.
    Yield(Duration),
    /// Writes to a file, and waits until it is on disk, again and again for this long.
    Io(Duration),
}

impl Phase {
    /// How long it lasts.
    pub const fn duration(&self) -> Duration {
        match self {
            Self::Spin(duration) | Self::Sleep(duration) | Self::Yield(duration) | Self::Io(duration) => {
                *duration
            }
        }
    }
}

/// Width of operands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AluWidth {
    /// 64 bits in general registers.
    Scalar,
    /// Vectors of 128 bits.
    Vec128,
    /// Vectors of 256 bits.
    Vec256,
    /// Vectors of 512 bits.
    Vec512,
    /// The widest that the CPU has.
    #[default]
    Widest,
}

/// What a worker wakes another with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WakeMechanism {
    /// A futex.
    #[default]
    Futex,
    /// A byte through a pipe.
    Pipe,
}

/// How a futex treats priorities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FutexLockMode {
    /// Not at all (`FUTEX_WAIT`, `FUTEX_WAKE`).
    #[default]
    Plain,
    /// The holder runs with its highest waiter's priority (`FUTEX_LOCK_PI`).
    Pi,
}
