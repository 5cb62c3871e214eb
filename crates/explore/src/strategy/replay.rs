//! `replay`: one variation again and again.

use ktstr_model::Variation;

use super::Strategy;
use crate::ground::Ground;

pub(super) struct Replay {
    pub variation: Variation,
    pub times: u64,
}

impl Strategy for Replay {
    fn variation(&self, number: u64, _: &Ground) -> Option<Variation> {
        (number <= self.times).then(|| self.variation.clone())
    }
}
