use std::collections::HashSet;

use proptest::prelude::*;

use ktstr_model::Perturbation;

use super::*;

fn ground() -> impl Strategy_<Value = Ground> {
    (1u32..64, 0u32..200, 1u64..20_000_000_000, 1u64..10_000_000_000)
        .prop_map(|(cpus, workers, body_ns, duration_ns)| Ground { cpus, workers, body_ns, duration_ns })
}

use proptest::strategy::Strategy as Strategy_;

proptest! {
    #[test]
    fn every_variation_fits_its_ground(seed: u64, number in 1u64..1 << 40, ground in ground()) {
        for name in StrategyName::ALL {
            let Some(variation) = name.strategy(seed).variation(number, &ground) else {
                prop_assert!(name.trouble(&ground).is_some());
                continue;
            };
            let again = name.strategy(seed).variation(number, &ground);
            prop_assert_eq!(again.as_ref(), Some(&variation), "{}", name);
            let Perturbation { start_offset_ns, stalls, nice_changes, outages } = &variation.perturbation;
            prop_assert!(*start_offset_ns < 10_000_000);
            prop_assert!(stalls.len() <= 4000);
            for stall in stalls {
                prop_assert!(stall.cpu < ground.cpus && stall.at_ns < ground.body_ns);
                prop_assert!((5_000..=20_000_000).contains(&stall.for_ns));
            }
            for change in nice_changes {
                prop_assert!(change.worker < ground.workers.max(1));
                prop_assert!((-20..=19).contains(&change.nice));
            }
            for outage in outages {
                prop_assert!((1..ground.cpus).contains(&outage.cpu) && outage.at_ns < ground.body_ns);
            }
        }
    }
}

#[test]
fn strategies_do_not_repeat_themselves() {
    let ground = Ground { cpus: 4, workers: 4, body_ns: 300_000_000, duration_ns: 200_000_000 };
    for name in StrategyName::ALL {
        let strategy = name.strategy(1);
        let variations: HashSet<Variation> =
            (1..=200).filter_map(|number| strategy.variation(number, &ground)).collect();
        assert_eq!(variations.len(), 200, "{name}");
    }
}

#[test]
fn priorities_begin_as_a_permutation_and_who_falls_falls_below_all() {
    let ground = Ground { cpus: 4, workers: 8, body_ns: 300_000_000, duration_ns: 200_000_000 };
    for number in 1..50 {
        let variation = StrategyName::Priorities.strategy(7).variation(number, &ground).unwrap();
        let changes = variation.perturbation.nice_changes;
        let (first, later): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| change.at_ns == 0);
        let values: HashSet<i8> = first.iter().map(|change| change.nice).collect();
        assert_eq!(values.len(), 8);
        let falls: Vec<i8> = later.iter().map(|change| change.nice).collect();
        assert!(falls.is_sorted() && falls[0] > *values.iter().max().unwrap(), "{values:?} {falls:?}");
    }
}

#[test]
fn a_replay_is_one_variation_as_often_as_asked_for() {
    let ground = Ground { cpus: 4, workers: 4, body_ns: 1, duration_ns: 1 };
    let variation = Variation { seed: Some(3), ..Variation::default() };
    let replay = replay(variation.clone(), 2);
    let all: Vec<_> = (1..4).map(|number| replay.variation(number, &ground)).collect();
    assert_eq!(all, [Some(variation.clone()), Some(variation), None]);
}

#[test]
fn names_are_read_as_they_are_printed() {
    for name in StrategyName::ALL {
        assert_eq!(name.to_string().parse(), Ok(name));
    }
    let error = "pct".parse::<StrategyName>().unwrap_err().to_string();
    assert_eq!(error, "no strategy is called `pct`: choose mix, seeds, delays, priorities, hotplug or sweep");
}
