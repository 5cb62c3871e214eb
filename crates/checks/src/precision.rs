//! What times of a run can be told apart.

use ktstr_model::{AssertResult, WorkerReport, format_ns};

/// The resolution of a run's measurements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Precision {
    /// Longest time that a vCPU waits for its turn in deterministic mode; `None` in real time.
    pub turn_ns: Option<u64>,
}

impl Precision {
    /// That of the machine on which these workers were measured.
    pub fn of(workers: &[WorkerReport]) -> Self {
        Self { turn_ns: workers.iter().filter_map(|worker| worker.turn_ns).max() }
    }

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

    /// In deterministic mode, a result that says why `check` is not judged: it looks at `what`, which is the emulator's
    /// doing there.
    pub fn refuses(self, check: &str, what: &str) -> Option<AssertResult> {
        self.turn_ns.map(|_| {
            let why = "the vCPUs of a deterministic machine run in turns";
            AssertResult::pass().with_note(format!("{check} is not applicable: {why}, so {what}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::worker;

    #[test]
    fn three_turns_are_enough_and_real_time_has_none() {
        let precision = Precision { turn_ns: Some(10) };
        assert!(precision.too_short(29).is_some());
        assert_eq!(precision.too_short(30), None);
        assert_eq!(Precision { turn_ns: None }.too_short(0), None);
    }

    #[test]
    fn is_that_of_the_machine_where_workers_were_measured() {
        let mut workers = [worker("cell_0", 0), worker("cell_0", 1)];
        assert_eq!(Precision::of(&workers).turn_ns, None);
        assert!(Precision::of(&workers).refuses("x", "y").is_none());
        workers[1].turn_ns = Some(7);
        assert_eq!(Precision::of(&workers).turn_ns, Some(7));
        let refused =
            Precision::of(&workers).refuses("min_work_rate = 5", "rates are the emulator's").unwrap();
        assert_eq!(
            refused.notes,
            [
                "min_work_rate = 5 is not applicable: the vCPUs of a deterministic machine run in turns, so rates are the \
              emulator's"
            ]
        );
    }
}
