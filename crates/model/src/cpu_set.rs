//! Sets of CPUs in the kernel's list format (`0-3,8`).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A set of CPU numbers, written as the kernel writes cpulists: `0-3,8`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CpuSet(BTreeSet<u32>);

/// A text that is not a cpulist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a CPU list: `{part}` is neither a number nor a range such as 0-3")]
pub struct CpuSetError {
    text: String,
    part: String,
}

impl CpuSet {
    /// The CPUs of the set in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().copied()
    }

    /// How many CPUs there are in the set.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the set has no CPU.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `cpu` is in the set.
    pub fn contains(&self, cpu: u32) -> bool {
        self.0.contains(&cpu)
    }
}

impl CpuSet {
    /// The set of these CPUs. Numbers that no machine has are kept as the largest that can be told apart, so that who
    /// looks at the set refuses them.
    pub fn of(cpus: impl IntoIterator<Item = usize>) -> Self {
        cpus.into_iter().map(|cpu| u32::try_from(cpu).unwrap_or(u32::MAX - 1)).collect()
    }

    /// Reads a cpulist as far as it can be understood: parts that are neither a number nor a range are left out.
    pub fn parse_lenient(text: &str) -> Self {
        let parts = text.split(',').filter_map(|part| part.trim().parse::<Self>().ok());
        parts.fold(Self::default(), |all, part| all.union(&part))
    }

    /// The lowest CPU.
    pub fn first(&self) -> Option<u32> {
        self.0.first().copied()
    }

    /// The CPUs that are in both.
    pub fn intersection(&self, other: &Self) -> Self {
        Self(&self.0 & &other.0)
    }

    /// The CPUs that are in this one only.
    pub fn difference(&self, other: &Self) -> Self {
        Self(&self.0 - &other.0)
    }

    /// The CPUs that are in one or both.
    pub fn union(&self, other: &Self) -> Self {
        Self(&self.0 | &other.0)
    }

    /// Whether all of its CPUs are in `other` too.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }
}

impl FromIterator<u32> for CpuSet {
    fn from_iter<I: IntoIterator<Item = u32>>(cpus: I) -> Self {
        Self(cpus.into_iter().collect())
    }
}

impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut cpus = self.iter().peekable();
        let mut separator = "";
        while let Some(first) = cpus.next() {
            let mut last = first;
            while let Some(next) = cpus.next_if(|next| *next == last + 1) {
                last = next;
            }
            match last - first {
                0 => write!(f, "{separator}{first}")?,
                _ => write!(f, "{separator}{first}-{last}")?,
            }
            separator = ",";
        }
        Ok(())
    }
}

impl FromStr for CpuSet {
    type Err = CpuSetError;

    /// Reads a cpulist. Empty text is the empty set, as in `/sys/devices/system/cpu/offline`.
    fn from_str(text: &str) -> Result<Self, CpuSetError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ok(Self::default());
        }
        let mut cpus = BTreeSet::new();
        for part in trimmed.split(',') {
            let error = || CpuSetError { text: trimmed.to_owned(), part: part.to_owned() };
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let first: u32 = first.parse().map_err(|_| error())?;
            let last: u32 = last.parse().map_err(|_| error())?;
            if last < first || last > 0xffff {
                return Err(error());
            }
            cpus.extend(first..=last);
        }
        Ok(Self(cpus))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_and_writes_the_kernels_format() {
        let set: CpuSet = "0-3,8,10-11\n".parse().unwrap();
        assert_eq!(set.len(), 7);
        assert!(set.contains(2) && !set.contains(9));
        assert_eq!(set.to_string(), "0-3,8,10-11");
        assert!("".parse::<CpuSet>().unwrap().is_empty());
    }

    #[test]
    fn refuses_other_texts() {
        for text in ["a", "3-1", "0-", "0,,1", "0-4294967295"] {
            assert!(text.parse::<CpuSet>().is_err(), "{text}");
        }
    }

    #[test]
    fn lenient_parsing_keeps_what_it_understands() {
        assert_eq!(CpuSet::parse_lenient(" 0-2, x, 7-,5\n").to_string(), "0-2,5");
        assert!(CpuSet::parse_lenient("none").is_empty());
    }

    proptest! {
        #[test]
        fn set_operations_are_those_of_sets(
            a in proptest::collection::btree_set(0u32..40, 0..20), b in proptest::collection::btree_set(0u32..40, 0..20),
        ) {
            let set = |cpus: &BTreeSet<u32>| cpus.iter().copied().collect::<CpuSet>();
            prop_assert_eq!(set(&a).union(&set(&b)), set(&(&a | &b)));
            prop_assert_eq!(set(&a).intersection(&set(&b)), set(&(&a & &b)));
            prop_assert_eq!(set(&a).difference(&set(&b)), set(&(&a - &b)));
            prop_assert_eq!(set(&a).is_subset(&set(&b)), a.is_subset(&b));
            prop_assert_eq!(set(&a).first(), a.first().copied());
            prop_assert_eq!(CpuSet::parse_lenient(&set(&a).to_string()), set(&a));
        }

        #[test]
        fn parses_what_it_prints(cpus in proptest::collection::btree_set(0u32..300, 0..40)) {
            let set: CpuSet = cpus.into_iter().collect();
            prop_assert_eq!(set.to_string().parse::<CpuSet>().unwrap(), set);
        }
    }
}
