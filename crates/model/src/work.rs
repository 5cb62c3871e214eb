//! What workers do.

use serde::{Deserialize, Serialize};

/// The work of one worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum WorkType {
    /// Computes without pause, touching no memory beyond its registers and never blocking.
    #[default]
    SpinWait,
}
