use proptest::prelude::*;

use super::super::{Llc, NumaNode};
use super::*;

fn set(text: &str) -> CpuSet {
    text.parse().unwrap()
}

/// Two nodes of two LLCs of two CPUs, and a node of memory only.
fn machine() -> TestTopology {
    let llc = |first: u32| Llc {
        cpus: (first..first + 2).collect(),
        cores: vec![set(&first.to_string()), set(&(first + 1).to_string())],
        size_kb: Some(16384),
        node: Some(first / 4),
    };
    let node = |id: u32, cpus: &str| NumaNode { id, cpus: set(cpus), memory_kb: Some(1), distances: vec![] };
    TestTopology {
        cpus: set("0-7"),
        llcs: [0, 2, 4, 6].map(llc).into(),
        cores: (0..8).map(|cpu: u32| set(&cpu.to_string())).collect(),
        nodes: vec![node(0, "0-3"), node(1, "4-7"), node(2, "")],
    }
}

#[test]
fn the_last_cpu_is_kept_for_the_root() {
    let machine = machine();
    let resolve = |spec| machine.resolve(&spec).unwrap().to_string();
    assert_eq!(resolve(CpusetSpec::llc(1)), "2-3");
    assert_eq!(resolve(CpusetSpec::llc(3)), "6");
    assert_eq!(resolve(CpusetSpec::numa(1)), "4-6");
    assert_eq!(resolve(CpusetSpec::exact([7])), "7", "an exact set is taken as it is");
    assert_eq!(machine.split_by_llc(), ["0-1", "2-3", "4-5", "6"].map(set));
    assert_eq!(machine.split_by_node(), ["0-3", "4-6"].map(set));
}

#[test]
fn parts_are_equal_and_the_last_has_the_rest() {
    let machine = machine();
    assert_eq!(machine.disjoint_cpusets(3).unwrap(), ["0-1", "2-3", "4-6"].map(set));
    assert_eq!(machine.overlapping_cpusets(3, 0.5).unwrap(), ["0-2", "2-4", "4-6"].map(set));
    assert_eq!(machine.resolve(&CpusetSpec::range(0.0, 0.5)).unwrap(), set("0-2"));
    assert_eq!(machine.resolve(&CpusetSpec::range(0.5, 1.0)).unwrap(), set("3-6"));
    assert_eq!(machine.resolve(&CpusetSpec::range(0.99, 1.0)).unwrap(), set("6"));
}

#[test]
fn says_what_the_machine_does_not_have() {
    let machine = machine();
    for (spec, words) in [
        (CpusetSpec::llc(4), "LLCs 0 to 3"),
        (CpusetSpec::numa(3), "NUMA nodes 0-2"),
        (CpusetSpec::numa(2), "usable CPUs 0-6 that is none"),
        (CpusetSpec::exact([3, 8, 9]), "but not 8-9"),
        (CpusetSpec::exact([]), "that is none"),
        (CpusetSpec::range(0.5, 0.5), "first is below the second"),
        (CpusetSpec::range(0.0, 1.5), "0 to 1"),
        (CpusetSpec::range(f64::NAN, 1.0), "0 to 1"),
        (CpusetSpec::disjoint(2, 2), "no number 2"),
        (CpusetSpec::disjoint(0, 0), "of 0 parts"),
        (CpusetSpec::disjoint(0, 8), "cannot make 8 parts"),
        (CpusetSpec::overlap(0, 2, -0.1), "0 to 1"),
    ] {
        let error = machine.resolve(&spec).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains(&format!("{spec:?}")), "{error}");
    }
}

proptest! {
    #[test]
    fn disjoint_parts_have_all_cpus_once(of in 1usize..8) {
        let machine = machine();
        let parts = machine.disjoint_cpusets(of).unwrap();
        prop_assert_eq!(parts.iter().map(CpuSet::len).sum::<usize>(), 7);
        let all = parts.iter().fold(CpuSet::default(), |all, part| all.union(part));
        prop_assert_eq!(all, machine.usable_cpus());
    }

    #[test]
    fn neighbours_overlap_by_the_fraction(of in 2usize..8, frac in 0.0f64..=1.0) {
        let parts = machine().overlapping_cpusets(of, frac).unwrap();
        let reach = (frac * (7 / of) as f64).round() as usize;
        for pair in parts.windows(2) {
            prop_assert_eq!(pair[0].intersection(&pair[1]).len(), reach);
        }
    }
}
