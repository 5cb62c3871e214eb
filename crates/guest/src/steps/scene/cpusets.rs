//! Operations on the CPUs that cgroups are confined to.

use ktstr_model::{CpuSet, CpusetSpec};

use super::Scene;
use crate::error::GuestError;

impl Scene<'_> {
    pub(super) fn set_cpuset(&mut self, name: &str, spec: &CpusetSpec) -> Result<(), GuestError> {
        let cpus = self.ctx.topo.resolve(spec)?;
        self.confine(name, Some(cpus))
    }

    pub(super) fn clear_cpuset(&mut self, name: &str) -> Result<(), GuestError> {
        self.confine(name, None)
    }

    pub(super) fn swap_cpusets(&mut self, a: &str, b: &str) -> Result<(), GuestError> {
        let (of_a, of_b) = (self.cell(a)?.cpus.clone(), self.cell(b)?.cpus.clone());
        self.confine(a, of_b)?;
        self.confine(b, of_a)
    }

    fn confine(&mut self, name: &str, cpus: Option<CpuSet>) -> Result<(), GuestError> {
        let cell = self.cell(name)?;
        match &cpus {
            Some(cpus) => cell.cgroup.set_cpus(cpus)?,
            None => cell.cgroup.clear_cpus()?,
        }
        cell.cpus = cpus;
        Ok(())
    }
}
