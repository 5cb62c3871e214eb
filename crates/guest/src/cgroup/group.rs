//! Cgroups that come and go together.

use std::collections::BTreeMap;

use ktstr_model::CpuSet;

use super::{Cgroup, Cgroups};
use crate::error::GuestError;

/// Cgroups by name. Dropping it kills their tasks and removes them, the last made first.
#[derive(Debug)]
#[must_use = "the cgroups are removed when this is dropped"]
pub struct CgroupGroup<'a> {
    cgroups: &'a Cgroups,
    order: Vec<String>,
    members: BTreeMap<String, Cgroup>,
}

impl<'a> CgroupGroup<'a> {
    /// No cgroups yet.
    pub fn new(cgroups: &'a Cgroups) -> Self {
        Self { cgroups, order: Vec::new(), members: BTreeMap::new() }
    }

    /// Makes a cgroup that is confined to these CPUs.
    ///
    /// # Errors
    /// As [`Cgroups::create`] and [`Cgroup::set_cpus`], and when there is one of this name.
    pub fn add_cgroup(&mut self, name: &str, cpus: &CpuSet) -> Result<&Cgroup, GuestError> {
        let cgroup = self.make(name)?;
        cgroup.set_cpus(cpus)?;
        Ok(self.keep(cgroup))
    }

    /// Makes a cgroup that may use all CPUs.
    ///
    /// # Errors
    /// As [`Cgroups::create`], and when there is one of this name.
    pub fn add_cgroup_no_cpuset(&mut self, name: &str) -> Result<&Cgroup, GuestError> {
        let cgroup = self.make(name)?;
        Ok(self.keep(cgroup))
    }

    fn make(&self, name: &str) -> Result<Cgroup, GuestError> {
        if self.members.contains_key(name) {
            return Err(GuestError::CgroupTwice(name.to_owned()));
        }
        self.cgroups.create(name)
    }

    fn keep(&mut self, cgroup: Cgroup) -> &Cgroup {
        let name = cgroup.name().to_owned();
        self.order.push(name.clone());
        self.members.entry(name).or_insert(cgroup)
    }

    /// The cgroup of this name.
    ///
    /// # Errors
    /// When there is none; says which there are.
    pub fn get(&self, name: &str) -> Result<&Cgroup, GuestError> {
        self.members.get(name).ok_or_else(|| self.unknown(name))
    }

    /// Kills a cgroup's tasks and removes it with everything below.
    ///
    /// # Errors
    /// When there is none of this name, or as [`Cgroup::remove`].
    pub fn remove(&mut self, name: &str) -> Result<(), GuestError> {
        let cgroup = self.members.remove(name).ok_or_else(|| self.unknown(name))?;
        self.order.retain(|other| other != name);
        cgroup.remove()
    }

    /// The names of the cgroups in the order in which they were made.
    pub fn names(&self) -> &[String] {
        &self.order
    }

    fn unknown(&self, name: &str) -> GuestError {
        GuestError::CgroupUnknown { name: name.to_owned(), there: self.order.join(", ") }
    }
}

impl Drop for CgroupGroup<'_> {
    fn drop(&mut self) {
        // A nested one goes before the one that holds it.
        while let Some(name) = self.order.pop() {
            drop(self.members.remove(&name));
        }
    }
}
