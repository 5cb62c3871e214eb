//! Which presets a test is run on.

use crate::Topology;

/// The topologies that a test is meant for. The gauntlet leaves presets out that do not meet them; the topology that a
/// test itself names is not judged by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopologyConstraints {
    /// The fewest LLCs.
    pub min_llcs: u32,
    /// The most LLCs; `None` sets no limit.
    pub max_llcs: Option<u32>,
    /// The fewest CPUs.
    pub min_cpus: u32,
    /// The most CPUs; `None` sets no limit.
    pub max_cpus: Option<u32>,
    /// The fewest NUMA nodes with CPUs.
    pub min_numa_nodes: u32,
    /// The most NUMA nodes with CPUs; `None` sets no limit.
    pub max_numa_nodes: Option<u32>,
    /// Only topologies with more than one thread a core.
    pub requires_smt: bool,
}

const fn at_most(count: u32, most: Option<u32>) -> bool {
    match most {
        Some(most) => count <= most,
        None => true,
    }
}

impl TopologyConstraints {
    /// 1 to 12 LLCs, 1 to 192 CPUs, one NUMA node, with or without SMT.
    pub const DEFAULT: Self = Self {
        min_llcs: 1,
        max_llcs: Some(12),
        min_cpus: 1,
        max_cpus: Some(192),
        min_numa_nodes: 1,
        max_numa_nodes: Some(1),
        requires_smt: false,
    };

    /// Whether `topology` meets them.
    pub const fn accept(&self, topology: &Topology) -> bool {
        topology.llcs() >= self.min_llcs
            && at_most(topology.llcs(), self.max_llcs)
            && topology.cpus() >= self.min_cpus
            && at_most(topology.cpus(), self.max_cpus)
            && topology.numa_nodes() >= self.min_numa_nodes
            && at_most(topology.numa_nodes(), self.max_numa_nodes)
            && (!self.requires_smt || topology.threads_per_core() > 1)
    }

    /// What makes them such that no topology can meet them, in the words of their keys.
    pub const fn contradiction(&self) -> Option<&'static str> {
        if !at_most(self.min_llcs, self.max_llcs) {
            return Some("`min_llcs` is above `max_llcs`, which is 12 when nothing else is said");
        }
        if !at_most(self.min_cpus, self.max_cpus) {
            return Some("`min_cpus` is above `max_cpus`, which is 192 when nothing else is said");
        }
        if !at_most(self.min_numa_nodes, self.max_numa_nodes) {
            return Some("`min_numa_nodes` is above `max_numa_nodes`, which is 1 when nothing else is said");
        }
        None
    }
}

impl Default for TopologyConstraints {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The constraints that a test names itself; the others come from its scheduler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConstraintsChoice {
    /// The fewest LLCs.
    pub min_llcs: Option<u32>,
    /// The most LLCs.
    pub max_llcs: Option<u32>,
    /// The fewest CPUs.
    pub min_cpus: Option<u32>,
    /// The most CPUs.
    pub max_cpus: Option<u32>,
    /// The fewest NUMA nodes with CPUs.
    pub min_numa_nodes: Option<u32>,
    /// The most NUMA nodes with CPUs.
    pub max_numa_nodes: Option<u32>,
    /// Only topologies with more than one thread a core.
    pub requires_smt: Option<bool>,
}

const fn least(own: Option<u32>, inherited: u32) -> u32 {
    match own {
        Some(own) => own,
        None => inherited,
    }
}

const fn most(own: Option<u32>, inherited: Option<u32>) -> Option<u32> {
    match own {
        Some(_) => own,
        None => inherited,
    }
}

impl ConstraintsChoice {
    /// No constraint of its own.
    pub const INHERITED: Self = Self {
        min_llcs: None,
        max_llcs: None,
        min_cpus: None,
        max_cpus: None,
        min_numa_nodes: None,
        max_numa_nodes: None,
        requires_smt: None,
    };

    /// These constraints, and those of `inherited` where there are none.
    pub const fn resolve(&self, inherited: &TopologyConstraints) -> TopologyConstraints {
        TopologyConstraints {
            min_llcs: least(self.min_llcs, inherited.min_llcs),
            max_llcs: most(self.max_llcs, inherited.max_llcs),
            min_cpus: least(self.min_cpus, inherited.min_cpus),
            max_cpus: most(self.max_cpus, inherited.max_cpus),
            min_numa_nodes: least(self.min_numa_nodes, inherited.min_numa_nodes),
            max_numa_nodes: most(self.max_numa_nodes, inherited.max_numa_nodes),
            requires_smt: match self.requires_smt {
                Some(requires) => requires,
                None => inherited.requires_smt,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PRESETS;

    fn accepted(constraints: &TopologyConstraints) -> Vec<&'static str> {
        PRESETS
            .iter()
            .filter(|preset| constraints.accept(&preset.topology))
            .map(|preset| preset.name)
            .collect()
    }

    #[test]
    fn the_default_leaves_out_numa_and_what_is_very_large() {
        let names = accepted(&TopologyConstraints::DEFAULT);
        assert_eq!(names.len(), 15);
        assert!(!names.iter().any(|name| name.contains("numa") || name.contains("max")), "{names:?}");
    }

    #[test]
    fn each_limit_counts() {
        let all = TopologyConstraints {
            max_llcs: None,
            max_cpus: None,
            max_numa_nodes: None,
            ..TopologyConstraints::DEFAULT
        };
        assert_eq!(accepted(&all).len(), PRESETS.len());
        assert_eq!(accepted(&TopologyConstraints { min_llcs: 15, ..all }).len(), 2);
        assert_eq!(accepted(&TopologyConstraints { max_llcs: Some(1), ..all }), ["tiny-1llc"]);
        assert_eq!(accepted(&TopologyConstraints { min_cpus: 252, ..all }), ["max-cpu", "max-cpu-nosmt"]);
        assert_eq!(accepted(&TopologyConstraints { max_cpus: Some(4), ..all }), ["tiny-1llc", "tiny-2llc"]);
        assert_eq!(
            accepted(&TopologyConstraints { min_numa_nodes: 3, ..all }),
            ["numa4-8llc", "numa4-12llc"]
        );
        assert_eq!(accepted(&TopologyConstraints { max_numa_nodes: Some(1), ..all }).len(), 19);
        assert_eq!(accepted(&TopologyConstraints { requires_smt: true, ..all }).len(), 10);
    }

    #[test]
    fn constraints_are_inherited_one_by_one() {
        let scheduler =
            TopologyConstraints { min_llcs: 2, requires_smt: true, ..TopologyConstraints::DEFAULT };
        let own = ConstraintsChoice { max_llcs: Some(3), requires_smt: Some(false), ..Default::default() };
        let resolved = own.resolve(&scheduler);
        assert_eq!(resolved, TopologyConstraints { max_llcs: Some(3), requires_smt: false, ..scheduler });
        assert_eq!(ConstraintsChoice::INHERITED.resolve(&scheduler), scheduler);
    }

    #[test]
    fn limits_that_nothing_can_meet_are_found() {
        let default = TopologyConstraints::DEFAULT;
        assert_eq!(default.contradiction(), None);
        for (bad, key) in [
            (TopologyConstraints { min_llcs: 13, ..default }, "min_llcs"),
            (TopologyConstraints { min_cpus: 193, ..default }, "min_cpus"),
            (TopologyConstraints { min_numa_nodes: 2, ..default }, "min_numa_nodes"),
        ] {
            assert!(bad.contradiction().is_some_and(|text| text.starts_with(&format!("`{key}`"))), "{key}");
        }
        assert_eq!(TopologyConstraints { max_llcs: None, min_llcs: 40, ..default }.contradiction(), None);
    }
}
