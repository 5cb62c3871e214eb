//! What the agent saw of its machine at the wait point.

use std::collections::BTreeSet;

use ktstr_model::{CpuSet, Topology};

/// The guest's own view of its machine, sent as lines of text: `cpus 0-7`, `llc 0-3`, `core 0-1`, `node 0-7`,
/// `turn_ns 12000000`, `skew_permille 1300`, `release 7.3.4`, `sched_ext 1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestFacts {
    /// CPUs on line.
    pub cpus: CpuSet,
    /// CPUs of each last-level cache.
    pub llcs: BTreeSet<CpuSet>,
    /// CPUs of each core.
    pub cores: BTreeSet<CpuSet>,
    /// CPUs of each NUMA node that has any.
    pub nodes: BTreeSet<CpuSet>,
    /// Longest wall time that a spinner, one pinned to each CPU, waited, in nanoseconds.
    pub turn_ns: u64,
    /// Most over least work done by those spinners, in thousandths.
    pub skew_permille: u64,
    /// The kernel's release (`uname -r`).
    pub release: String,
    /// Whether the kernel has sched_ext.
    pub sched_ext: bool,
}

/// Facts that cannot be read, or that are not those of the machine asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactsError {
    /// A line that the agent of this version does not write.
    #[error("the agent reported a line that is not understood: `{0}`")]
    Line(String),
    /// The guest sees another machine.
    #[error("the guest sees {level}s of CPUs {seen}, but {wanted} was asked for, which has {expected}")]
    Topology {
        /// What is different: `cpu`, `LLC`, `core` or `NUMA node`.
        level: &'static str,
        /// What the guest sees.
        seen: String,
        /// The topology asked for.
        wanted: Topology,
        /// What it should see.
        expected: String,
    },
}

impl GuestFacts {
    /// Reads the agent's lines.
    ///
    /// # Errors
    /// On a line that is not of the known forms.
    pub fn parse(text: &str) -> Result<Self, FactsError> {
        let mut facts = Self::default();
        for line in text.lines() {
            let error = || FactsError::Line(line.to_owned());
            let (key, value) = line.split_once(' ').ok_or_else(error)?;
            let cpus = || value.parse::<CpuSet>().map_err(|_| error());
            let number = || value.parse::<u64>().map_err(|_| error());
            match key {
                "cpus" => facts.cpus = cpus()?,
                "llc" => drop(facts.llcs.insert(cpus()?)),
                "core" => drop(facts.cores.insert(cpus()?)),
                "node" => drop(facts.nodes.insert(cpus()?)),
                "turn_ns" => facts.turn_ns = number()?,
                "skew_permille" => facts.skew_permille = number()?,
                "sched_ext" => facts.sched_ext = number()? != 0,
                "release" => value.clone_into(&mut facts.release),
                _ => return Err(error()),
            }
        }
        Ok(facts)
    }

    /// Checks that the guest sees the machine that was asked for. CPUs are numbered thread by thread, core by core,
    /// LLC by LLC.
    ///
    /// # Errors
    /// On the first level that differs.
    pub fn check(&self, wanted: &Topology) -> Result<(), FactsError> {
        let levels = [
            ("CPU", BTreeSet::from([self.cpus.clone()]), wanted.cpus()),
            ("NUMA node", self.nodes.clone(), wanted.llcs_per_node() * wanted.cpus_per_llc()),
            ("LLC", self.llcs.clone(), wanted.cpus_per_llc()),
            ("core", self.cores.clone(), wanted.threads_per_core()),
        ];
        for (level, seen, cpus_each) in levels {
            let expected = blocks(wanted.cpus(), cpus_each);
            if seen != expected {
                let [seen, expected] = [&seen, &expected].map(print);
                return Err(FactsError::Topology { level, seen, wanted: *wanted, expected });
            }
        }
        Ok(())
    }
}

fn blocks(cpus: u32, cpus_each: u32) -> BTreeSet<CpuSet> {
    (0..cpus / cpus_each).map(|block| (block * cpus_each..(block + 1) * cpus_each).collect()).collect()
}

fn print(sets: &BTreeSet<CpuSet>) -> String {
    let sets: Vec<String> = sets.iter().map(|set| format!("[{set}]")).collect();
    sets.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMT: &str = "cpus 0-7\nllc 0-3\nllc 0-3\nllc 4-7\ncore 0-1\ncore 2-3\ncore 4-5\ncore 6-7\nnode 0-7\n\
                       turn_ns 12\nskew_permille 1300\nrelease 7.3.4\nsched_ext 1\n";

    #[test]
    fn accepts_the_machine_asked_for_and_no_other() {
        let facts = GuestFacts::parse(SMT).unwrap();
        assert_eq!((facts.turn_ns, facts.skew_permille, facts.sched_ext), (12, 1300, true));
        facts.check(&Topology::of(1, 2, 2, 2)).unwrap();
        for other in [Topology::of(1, 1, 4, 2), Topology::of(1, 2, 4, 1), Topology::of(2, 2, 2, 2)] {
            facts.check(&other).unwrap_err();
        }
        let error = facts.check(&Topology::of(1, 1, 4, 2)).unwrap_err().to_string();
        assert_eq!(
            error,
            "the guest sees LLCs of CPUs [0-3] [4-7], but 1n1l4c2t was asked for, which has [0-7]"
        );
    }

    #[test]
    fn refuses_other_lines() {
        for text in ["cpus", "cpus x", "shoes 4", "turn_ns -1"] {
            assert!(GuestFacts::parse(text).is_err(), "{text}");
        }
    }
}
