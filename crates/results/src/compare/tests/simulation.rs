//! Both kinds of error, measured on runs that are made up: how often a difference is claimed that is not there, and how
//! often one is found that is.

use super::*;

/// Values around `mean` with a standard deviation of `spread`, as latencies are: long to the right.
fn value(random: &mut fastrand::Rng, mean: f64, spread: f64) -> f64 {
    let normal: f64 = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
    let sigma = (1.0 + (spread / mean).powi(2)).ln().sqrt();
    mean * (sigma * normal - sigma * sigma / 2.0).exp()
}

/// A comparison of `seeds` runs a side of `cells` tests with three figures each; side B's latency is `factor` times A's.
fn simulated(random: &mut fastrand::Rng, cells: usize, seeds: u64, noise: f64, factor: f64) -> Comparison {
    let mut samples = Vec::new();
    for cell in 0..cells {
        for (scheduler, factor) in [("a", 1.0), ("b", factor)] {
            for seed in 0..seeds {
                let latency = value(random, 40.0 * factor, 40.0 * factor * noise);
                let (rate, share) = (value(random, 3000.0, 3000.0 * noise), value(random, 9.0, 9.0 * noise));
                let figures = [("latency", latency), ("rate", rate), ("share", share)];
                samples.push(sample(&format!("t{cell}"), scheduler, seed, &figures));
            }
        }
    }
    schedulers(&samples).unwrap()
}

#[test]
fn a_difference_that_is_not_there_is_hardly_ever_claimed() {
    let mut random = fastrand::Rng::with_seed(7);
    for (cells, seeds, noise) in [(1, 2, 0.3), (1, 5, 0.3), (8, 3, 0.1), (8, 5, 0.5), (8, 10, 0.2)] {
        let rounds = 60;
        let claims = |comparison: &Comparison| {
            comparison.count(Conclusion::Worse) + comparison.count(Conclusion::Better) > 0
        };
        let wrong = (0..rounds).filter(|_| claims(&simulated(&mut random, cells, seeds, noise, 1.0))).count();
        // Whole comparisons with any false claim: one in twenty is the level, three of sixty.
        assert!(wrong <= 6, "{wrong} of {rounds} with {cells} cells of {seeds} seeds");
    }
}

#[test]
fn a_difference_that_is_there_is_found_where_it_is() {
    let mut random = fastrand::Rng::with_seed(11);
    for (cells, seeds, noise, factor) in
        [(1, 5, 0.05, 1.3), (8, 5, 0.05, 1.3), (8, 10, 0.2, 1.6), (1, 3, 0.05, 2.0)]
    {
        let (mut found, mut elsewhere, rounds) = (0, 0, 20);
        for _ in 0..rounds {
            let comparison = simulated(&mut random, cells, seeds, noise, factor);
            for figure in comparison.cells.iter().flat_map(|cell| &cell.figures) {
                match (figure.name.as_str(), figure.conclusion) {
                    ("latency", Conclusion::Worse) => found += 1,
                    ("latency", Conclusion::Better) => panic!("the wrong way round: {figure:?}"),
                    (_, Conclusion::Same) => {}
                    _ if figure.name != "latency" => elsewhere += 1,
                    _ => {}
                }
            }
        }
        let there = cells * rounds;
        assert!(found * 100 >= there * 90, "found {found} of {there} with {cells} cells of {seeds} seeds");
        assert!(elsewhere * 100 <= there * 10, "claimed {elsewhere} beside {there} true ones");
    }
}

#[test]
fn equal_records_give_equal_output() {
    let comparison = || simulated(&mut fastrand::Rng::with_seed(3), 2, 4, 0.2, 1.5);
    assert_eq!(serde_json::to_string(&comparison()).unwrap(), serde_json::to_string(&comparison()).unwrap());
}
