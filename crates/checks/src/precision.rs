//! What times of a run can be told apart.

use ktstr_model::format_ns;

/// The resolution of a run's measurements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Precision {
    /// Longest time that a vCPU waits for its turn in deterministic mode; `None` in real time.
    pub turn_ns: Option<u64>,
}

impl Precision {
    /// Why a time of `ns` cannot be judged, if it cannot: all vCPUs of a deterministic run share one clock and run in
    /// turns, so a worker's time includes the turns of the others.
    pub fn too_short(self, ns: u64) -> Option<String> {
        let turn = self.turn_ns?;
        let least = turn.saturating_mul(3);
        (ns < least).then(|| {
            format!(
                "below three vCPU turns of this deterministic machine ({}, a turn lasts up to {})",
                format_ns(least),
                format_ns(turn)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_turns_are_enough_and_real_time_has_none() {
        let precision = Precision { turn_ns: Some(10) };
        assert!(precision.too_short(29).is_some());
        assert_eq!(precision.too_short(30), None);
        assert_eq!(Precision { turn_ns: None }.too_short(0), None);
    }
}
