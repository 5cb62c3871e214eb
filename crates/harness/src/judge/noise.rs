//! What a busy host makes of a judgement.

use std::fmt::Write as _;

use ktstr_checks::explained_by_noise;
use ktstr_model::{Cause, HostNoise, Mode, WorkerReport, format_ns};

use super::Judgement;

/// In real-time mode, violations that the host's other work explains conclude nothing: when all of them are such, neither
/// does the run. One that is not explained is enough for a failure.
pub(crate) fn weigh(judged: Judgement, mode: Mode, noise: &HostNoise, workers: &[WorkerReport]) -> Judgement {
    let violated =
        mode == Mode::RealTime && judged.cause == Cause::CheckViolated && !judged.details.is_empty();
    if !violated || !judged.details.iter().all(|detail| explained_by_noise(detail, noise, workers)) {
        return judged;
    }
    let headline = format!(
        "the host was too busy to tell: {}\nwhich this explains: {}",
        judged.headline,
        describe(noise)
    );
    Judgement { cause: Cause::NoisyHost, headline, ..judged }
}

/// What the host did meanwhile, in one line.
pub(crate) fn describe(noise: &HostNoise) -> String {
    let mut text = format!(
        "in {} the host held a virtual CPU up for {}",
        format_ns(noise.wall_ns),
        format_ns(noise.held_up_ns())
    );
    if noise.steal_ns > 0 {
        let _ = write!(text, ", {} of that its own hypervisor", format_ns(noise.steal_ns));
    }
    if let Some(load) = noise.load {
        let _ = write!(text, "; its load was {load}");
    }
    match &noise.noisiest {
        Some(busy) => {
            let _ = write!(
                text,
                "; the noisiest process was `{}` (pid {}) with {} of CPU time",
                busy.comm,
                busy.pid,
                format_ns(busy.cpu_ns)
            );
        }
        None => text.push_str("; no process stood out"),
    }
    text
}

#[cfg(test)]
mod tests {
    use ktstr_model::{AssertDetail, BusyProcess, DetailKind};

    use super::*;
    use crate::judge::expect_failure;

    fn noise(held_ms: u64) -> HostNoise {
        HostNoise {
            wall_ns: 3_000_000_000,
            cpu_ns: 2_000_000_000,
            run_delay_ns: held_ms * 1_000_000,
            steal_ns: 0,
            load: Some(9.5),
            noisiest: Some(BusyProcess { pid: 4711, comm: "rustc".into(), cpu_ns: 2_500_000_000 }),
        }
    }

    fn late(gap_ms: f64) -> AssertDetail {
        let value = (Some(gap_ms), Some(2000.0));
        AssertDetail { value: value.0, threshold: value.1, ..AssertDetail::new(DetailKind::Gap, "late") }
    }

    fn violated(details: &[AssertDetail]) -> Judgement {
        Judgement { details: details.to_vec(), ..Judgement::new(Cause::CheckViolated, "late") }
    }

    #[test]
    fn a_busy_host_makes_a_violation_inconclusive_and_names_who_was_busy() {
        let judged = weigh(violated(&[late(2100.0)]), Mode::RealTime, &noise(150), &[]);
        assert_eq!((judged.cause, judged.details.len()), (Cause::NoisyHost, 1));
        assert_eq!(
            judged.headline,
            "the host was too busy to tell: late\nwhich this explains: in 3.00 s the host held a virtual CPU up for 150.00 \
             ms; its load was 9.5; the noisiest process was `rustc` (pid 4711) with 2.50 s of CPU time"
        );
        assert_eq!(expect_failure(judged).cause, Cause::NoisyHost, "noise is no expected failure");
    }

    #[test]
    fn whatever_is_not_explained_stays_a_failure() {
        let cases = [
            (violated(&[late(2200.0)]), Mode::RealTime, 150),
            (violated(&[late(2100.0), late(9000.0)]), Mode::RealTime, 150),
            (violated(&[late(2100.0)]), Mode::Deterministic, 150),
            (violated(&[late(2100.0), AssertDetail::new(DetailKind::Custom, "x")]), Mode::RealTime, 150),
            (violated(&[]), Mode::RealTime, 150),
            (Judgement::new(Cause::SchedulerDied, "gone"), Mode::RealTime, u64::MAX / 1_000_000),
            (Judgement::new(Cause::ChecksHeld, "fine"), Mode::RealTime, 150),
        ];
        for (judged, mode, held_ms) in cases {
            assert_eq!(weigh(judged.clone(), mode, &noise(held_ms), &[]), judged);
        }
    }
}
