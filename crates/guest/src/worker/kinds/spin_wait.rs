//! `SpinWait`: computes without pause, touching no memory beyond its registers and never blocking.

use super::Members;
use crate::worker::parts::SpinOn;

pub(super) fn members() -> Members {
    vec![Box::new(SpinOn)]
}
