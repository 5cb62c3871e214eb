//! Violations that a busy host explains.

use ktstr_model::{AssertDetail, DetailKind, HostNoise, WorkerReport};

/// Whether a violation may be the host's doing: whether the time for which it held one virtual CPU up (see
/// [`HostNoise::held_up_ns`]), put wherever it does most harm, is enough to carry what was measured over the threshold.
///
/// What has nothing to do with time, such as placement, and what a test's body found itself, is never explained.
pub fn explained_by_noise(detail: &AssertDetail, noise: &HostNoise, workers: &[WorkerReport]) -> bool {
    let (Some(value), Some(threshold)) = (detail.value, detail.threshold) else { return false };
    let held_ns = noise.held_up_ns() as f64;
    let seen = Seen::of(detail, workers);
    match detail.kind {
        DetailKind::Gap | DetailKind::Cleanup => (value - threshold) * 1e6 <= held_ns,
        // No checkpoint in all that time: the host must have held the worker up for all of it.
        DetailKind::Starved => detail.at_ns.is_some_and(|waited_ns| waited_ns as f64 <= held_ns),
        // One worker lost that share of its time, or was charged for it, and another did not.
        DetailKind::Spread => value - part(held_ns, seen.wall_ns) * 100.0 <= threshold,
        DetailKind::WakeLatency => late_wakes_ns(value, threshold, &seen) <= held_ns,
        DetailKind::WakeLatencyCv => value <= threshold + added_variation(held_ns, &seen),
        // The guest charges a worker for time in which the host did not let it run.
        DetailKind::WorkRate => value >= threshold * (1.0 - part(held_ns, seen.cpu_ns)),
        DetailKind::IterationRate => value >= threshold * (1.0 - part(held_ns, seen.wall_ns)),
        DetailKind::ThroughputCv => value <= largest_variation(threshold, part(held_ns, seen.cpu_ns)),
        _ => false,
    }
}

/// What the report says of those whom a violation is about.
struct Seen {
    /// Wall and CPU time of the worker, in nanoseconds.
    wall_ns: f64,
    cpu_ns: f64,
    /// Workers of its cgroup that were woken, how often in all, and their latencies in all, in nanoseconds.
    woken: f64,
    wakes: f64,
    latencies_ns: f64,
}

impl Seen {
    fn of(detail: &AssertDetail, workers: &[WorkerReport]) -> Self {
        let of_cgroup = || workers.iter().filter(|worker| Some(&worker.cgroup) == detail.cgroup.as_ref());
        let worker = of_cgroup().find(|worker| Some(worker.index) == detail.worker);
        let woken = || of_cgroup().map(|worker| &worker.wake_latencies).filter(|sample| sample.count > 0);
        Self {
            wall_ns: worker.map_or(0.0, |worker| worker.wall_ns as f64),
            cpu_ns: worker.map_or(0.0, |worker| worker.cpu_ns as f64),
            woken: woken().count() as f64,
            wakes: woken().map(|sample| sample.count as f64).sum(),
            latencies_ns: woken().map(|sample| sample.sum_ns as f64).sum(),
        }
    }
}

/// Which part of a time was held up, 0 to 1; all of it when nothing is known of the time.
fn part(held_ns: f64, of_ns: f64) -> f64 {
    match held_ns > 0.0 {
        true if of_ns > 0.0 => (held_ns / of_ns).min(1.0),
        true => 1.0,
        false => 0.0,
    }
}

/// How long a worker must have been held up for one wake-up in a hundred to come as late as that: it was woken one time
/// after the other, and each late one cost the difference.
fn late_wakes_ns(value_ns: f64, threshold_ns: f64, seen: &Seen) -> f64 {
    let wakes = if seen.woken > 0.0 { seen.wakes / seen.woken } else { 0.0 };
    (value_ns - threshold_ns) * (wakes / 100.0).max(1.0)
}

/// By how much a coefficient of variation grows at most when each worker is held up for so long in one wake-up of all:
/// the standard deviation grows by the root mean square of what is added at most.
fn added_variation(held_ns: f64, seen: &Seen) -> f64 {
    if held_ns <= 0.0 || seen.wakes <= 0.0 {
        return 0.0;
    }
    let undisturbed_mean_ns = (seen.latencies_ns - seen.woken * held_ns) / seen.wakes;
    match undisturbed_mean_ns > 0.0 {
        true => held_ns * (seen.woken / seen.wakes).sqrt() / undisturbed_mean_ns,
        false => f64::INFINITY,
    }
}

/// The largest coefficient of variation of rates that varied by `variation` before each lost any part of itself up to
/// `lost`: the standard deviation grows by that part of the root mean square, and the mean falls by that part at most.
fn largest_variation(variation: f64, lost: f64) -> f64 {
    match lost < 1.0 {
        true => (variation + lost * (1.0 + variation.powi(2)).sqrt()) / (1.0 - lost),
        false => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::distribution::Distribution;
    use crate::testing::{SECOND, sample, worker};

    const MS: u64 = 1_000_000;

    fn noise(held_ns: u64) -> HostNoise {
        HostNoise { run_delay_ns: held_ns, wall_ns: 10 * SECOND, ..HostNoise::default() }
    }

    fn detail(kind: DetailKind, value: f64, threshold: f64) -> AssertDetail {
        AssertDetail {
            cgroup: Some("cell_0".into()),
            worker: Some(0),
            value: Some(value),
            threshold: Some(threshold),
            at_ns: Some(10 * SECOND),
            ..AssertDetail::new(kind, "x")
        }
    }

    fn explains(held_ms: u64, kind: DetailKind, value: f64, threshold: f64) -> bool {
        let mut woken = worker("cell_0", 0);
        woken.wake_latencies = sample(vec![MS; 1000]);
        explained_by_noise(&detail(kind, value, threshold), &noise(held_ms * MS), &[woken])
    }

    #[test]
    fn a_gap_is_explained_by_what_it_is_too_long() {
        assert!(explains(500, DetailKind::Gap, 2400.0, 2000.0));
        assert!(!explains(300, DetailKind::Gap, 2400.0, 2000.0));
        let steal = HostNoise { steal_ns: 200 * MS, ..noise(300 * MS) };
        assert!(explained_by_noise(&detail(DetailKind::Gap, 2400.0, 2000.0), &steal, &[]), "both together");
    }

    #[test]
    fn who_starved_was_held_up_for_all_of_the_run() {
        assert!(!explains(9_999, DetailKind::Starved, 0.0, 1.0));
        assert!(explains(10_000, DetailKind::Starved, 0.0, 1.0));
    }

    #[test]
    fn a_spread_is_explained_by_the_share_that_was_held_up() {
        assert!(explains(600, DetailKind::Spread, 20.0, 15.0));
        assert!(!explains(400, DetailKind::Spread, 20.0, 15.0));
    }

    #[test]
    fn a_percentile_needs_one_wake_up_in_a_hundred_to_be_late() {
        // 1000 wake-ups, so 10 were late by 5 ms each.
        assert!(explains(50, DetailKind::WakeLatency, 15e6, 10e6));
        assert!(!explains(49, DetailKind::WakeLatency, 15e6, 10e6));
    }

    #[test]
    fn rates_lose_what_was_held_up() {
        assert!(explains(500, DetailKind::WorkRate, 90.0, 100.0), "of 5 s of CPU time");
        assert!(!explains(400, DetailKind::WorkRate, 90.0, 100.0));
        assert!(explains(1000, DetailKind::IterationRate, 90.0, 100.0), "of 10 s of wall time");
        assert!(!explains(900, DetailKind::IterationRate, 90.0, 100.0));
    }

    #[test]
    fn rates_vary_by_what_some_may_have_lost_and_others_not() {
        // A tenth of the CPU time, so (0.1 + 0.1 * sqrt(1 + 0.1^2)) / (1 - 0.1) = 0.2228.
        assert!(explains(500, DetailKind::ThroughputCv, 0.222, 0.1));
        assert!(!explains(500, DetailKind::ThroughputCv, 0.224, 0.1));
    }

    #[test]
    fn latencies_vary_by_one_that_is_late_among_the_others() {
        // One of 1000 wake-ups late by 100 ms, where the others' mean is 0.9 ms: 100 * sqrt(1 / 1000) / 0.9 = 3.514.
        assert!(explains(100, DetailKind::WakeLatencyCv, 4.51, 1.0));
        assert!(!explains(100, DetailKind::WakeLatencyCv, 4.52, 1.0));
    }

    #[test]
    fn placement_and_what_a_body_found_have_nothing_to_do_with_it() {
        for kind in [
            DetailKind::Isolation,
            DetailKind::MigrationRatio,
            DetailKind::PageLocality,
            DetailKind::CrossNodeMigration,
            DetailKind::SlowTier,
            DetailKind::WorkerLost,
            DetailKind::Custom,
        ] {
            assert!(!explains(u64::MAX / MS, kind, 2.0, 1.0), "{kind:?}");
        }
        let wordless = AssertDetail::new(DetailKind::Gap, "x");
        assert!(!explained_by_noise(&wordless, &noise(u64::MAX), &[]));
    }

    /// Kinds whose value is above their threshold when violated, and those that are below.
    fn timed() -> impl Strategy<Value = (DetailKind, bool)> {
        prop_oneof![
            Just((DetailKind::Gap, true)),
            Just((DetailKind::Cleanup, true)),
            Just((DetailKind::Spread, true)),
            Just((DetailKind::WakeLatency, true)),
            Just((DetailKind::WakeLatencyCv, true)),
            Just((DetailKind::ThroughputCv, true)),
            Just((DetailKind::Starved, false)),
            Just((DetailKind::WorkRate, false)),
            Just((DetailKind::IterationRate, false)),
        ]
    }

    proptest! {
        #[test]
        fn a_quiet_host_explains_nothing((kind, above) in timed(), low in 0.0f64..1e6, more in 1e-3f64..1e6) {
            let (value, threshold) = if above { (low + more, low) } else { (low, low + more) };
            prop_assert!(!explains(0, kind, value, threshold));
        }

        #[test]
        fn a_noisier_host_explains_all_that_a_quieter_one_does(
            (kind, above) in timed(), low in 0.0f64..1e4, more in 0.0f64..1e4, held in 0u64..20_000, longer in 0u64..20_000,
        ) {
            let (value, threshold) = if above { (low + more, low) } else { (low, low + more) };
            prop_assert!(!explains(held, kind, value, threshold) || explains(held + longer, kind, value, threshold));
        }

        #[test]
        fn what_a_loss_can_do_to_rates_is_within_the_bound(
            rates in proptest::collection::vec((1.0f64..1000.0, 0.0f64..=1.0), 2..9), lost in 0.0f64..0.9,
        ) {
            let variation = |rates: Vec<f64>| Distribution::of(rates).variation().unwrap();
            let before = variation(rates.iter().map(|(rate, _)| *rate).collect());
            let after = variation(rates.iter().map(|(rate, part)| rate * (1.0 - lost * part)).collect());
            prop_assert!(after <= largest_variation(before, lost) + 1e-9);
        }

        #[test]
        fn what_one_hold_up_can_do_to_latencies_is_within_the_bound(
            times in proptest::collection::vec(MS..100 * MS, 2..50), held in 1u64..1000, place in 0usize..50,
        ) {
            let mut late = times.clone();
            let place = place % late.len();
            late[place] += held * MS;
            let variation = |times: &[u64]| Distribution::pooled([&sample(times.iter().copied())]).variation().unwrap();
            let disturbed = WorkerReport { wake_latencies: sample(late.iter().copied()), ..worker("cell_0", 0) };
            let seen = Seen::of(&detail(DetailKind::WakeLatencyCv, 0.0, 0.0), &[disturbed]);
            let bound = variation(&times) + added_variation((held * MS) as f64, &seen);
            prop_assert!(variation(&late) <= bound * (1.0 + 1e-9));
        }
    }
}
