//! Sets of CPUs for a test's cgroups.

use ktstr_model::{CpuSet, CpusetSpec};

use super::TestTopology;
use crate::error::GuestError;

impl TestTopology {
    /// The CPUs that a [`CpusetSpec`] comes to on this machine, in the usable ones; an exact set as it is.
    ///
    /// # Errors
    /// When it names an LLC, a node or CPUs that the machine does not have, when its numbers make no sense, or when no
    /// CPU is left.
    pub fn resolve(&self, spec: &CpusetSpec) -> Result<CpuSet, GuestError> {
        let refused = |why: String| GuestError::CpusetSpec { spec: spec.clone(), why };
        let usable = self.usable_cpus();
        let set = match spec {
            CpusetSpec::Llc(index) => match self.llcs.get(*index) {
                Some(llc) => llc.cpus.intersection(&usable),
                None => return Err(refused(format!("the machine has LLCs 0 to {}", self.llcs.len() - 1))),
            },
            CpusetSpec::Numa(id) => match self.nodes.iter().find(|node| node.id as usize == *id) {
                Some(node) => node.cpus.intersection(&usable),
                None => {
                    let ids = CpuSet::from_iter(self.nodes.iter().map(|node| node.id));
                    return Err(refused(format!("the machine has NUMA nodes {ids}")));
                }
            },
            CpusetSpec::Range { start_frac, end_frac } => {
                range(&usable, *start_frac, *end_frac).map_err(refused)?
            }
            CpusetSpec::Disjoint { index, of } => part(&usable, *index, *of, 0.0).map_err(refused)?,
            CpusetSpec::Overlap { index, of, frac } => part(&usable, *index, *of, *frac).map_err(refused)?,
            CpusetSpec::Exact(set) => {
                let absent = set.difference(&self.cpus);
                if !absent.is_empty() {
                    return Err(refused(format!("the machine has CPUs {}, but not {absent}", self.cpus)));
                }
                set.clone()
            }
        };
        if set.is_empty() {
            return Err(refused(format!("of the usable CPUs {usable} that is none")));
        }
        Ok(set)
    }

    /// The usable CPUs of each last-level cache that has any.
    pub fn split_by_llc(&self) -> Vec<CpuSet> {
        self.usable_parts(self.llcs.iter().map(|llc| &llc.cpus))
    }

    /// The usable CPUs of each NUMA node that has any.
    pub fn split_by_node(&self) -> Vec<CpuSet> {
        self.usable_parts(self.nodes.iter().map(|node| &node.cpus))
    }

    fn usable_parts<'a>(&self, parts: impl Iterator<Item = &'a CpuSet>) -> Vec<CpuSet> {
        let usable = self.usable_cpus();
        parts.map(|cpus| cpus.intersection(&usable)).filter(|cpus| !cpus.is_empty()).collect()
    }

    /// So many parts of the usable CPUs that have no CPU in common.
    ///
    /// # Errors
    /// When there are fewer CPUs than parts, or no parts.
    pub fn disjoint_cpusets(&self, of: usize) -> Result<Vec<CpuSet>, GuestError> {
        (0..of.max(1)).map(|index| self.resolve(&CpusetSpec::Disjoint { index, of })).collect()
    }

    /// So many parts of the usable CPUs, each of which reaches into the next by a fraction of a part.
    ///
    /// # Errors
    /// When there are fewer CPUs than parts, or no parts, or when the fraction is not from 0 to 1.
    pub fn overlapping_cpusets(&self, of: usize, frac: f64) -> Result<Vec<CpuSet>, GuestError> {
        (0..of.max(1)).map(|index| self.resolve(&CpusetSpec::Overlap { index, of, frac })).collect()
    }
}

/// The CPUs from one fraction to another; at least one when the fractions differ.
fn range(cpus: &CpuSet, start: f64, end: f64) -> Result<CpuSet, String> {
    if !(0.0..=1.0).contains(&start) || !(0.0..=1.0).contains(&end) || start >= end {
        return Err("fractions go from 0 to 1, and the first is below the second".to_owned());
    }
    let place = |fraction: f64| (fraction * cpus.len() as f64).floor() as usize;
    let first = place(start).min(cpus.len().saturating_sub(1));
    let last = place(end).max(first + 1);
    Ok(cpus.iter().skip(first).take(last - first).collect())
}

/// One of `of` equal parts, which reaches into the next by a fraction of a part; the last has what is left over.
fn part(cpus: &CpuSet, index: usize, of: usize, overlap: f64) -> Result<CpuSet, String> {
    if index >= of {
        return Err(format!("of {of} parts there is no number {index}; they are numbered from 0"));
    }
    if !(0.0..=1.0).contains(&overlap) {
        return Err("a fraction goes from 0 to 1".to_owned());
    }
    let size = cpus.len() / of;
    if size == 0 {
        return Err(format!("the {} usable CPUs cannot make {of} parts", cpus.len()));
    }
    let first = index * size;
    let reach = (overlap * size as f64).round() as usize;
    let count = if index + 1 == of { cpus.len() - first } else { size + reach };
    Ok(cpus.iter().skip(first).take(count).collect())
}

#[cfg(test)]
mod tests;
