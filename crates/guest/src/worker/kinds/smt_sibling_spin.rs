//! `SmtSiblingSpin`: two workers that spin on the SMT threads of one core.

use ktstr_model::CpuSet;

use super::Members;
use crate::error::GuestError;
use crate::worker::bench::Bench;
use crate::worker::group::GroupPlan;
use crate::worker::settings::set_affinity;
use crate::worker::work::{Trouble, Work};

struct SmtSiblingSpin {
    cpu: CpuSet,
}

pub(super) fn members(plan: &GroupPlan<'_>) -> Result<Members, GuestError> {
    let cores = plan.topology.cores().iter().map(|core| core.intersection(plan.cpus));
    let cores: Vec<CpuSet> = cores.filter(|core| core.len() >= plan.size).collect();
    if cores.is_empty() {
        let why = format!(
            "CPUs {} have no two SMT threads of one core; give the machine threads = 2, or the cpuset whole cores",
            plan.cpus
        );
        return Err(GuestError::WorkTypeUnfit { work: "SmtSiblingSpin", why });
    }
    let siblings = cores[plan.number % cores.len()].iter().take(plan.size);
    Ok(siblings
        .map(|cpu| Box::new(SmtSiblingSpin { cpu: [cpu].into_iter().collect() }) as Box<dyn Work>)
        .collect())
}

impl Work for SmtSiblingSpin {
    fn prepare(&mut self, _: &mut Bench<'_>) -> Result<(), Trouble> {
        set_affinity(&self.cpu)
    }

    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        bench.spin_one_checkpoint();
        Ok(())
    }
}
