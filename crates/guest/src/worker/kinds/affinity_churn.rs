//! `AffinityChurn`: binds itself to a random CPU of its cpuset, then computes.

use ktstr_model::MAX_CPUS;
use rustix::io::Errno;
use rustix::thread::{CpuSet as KernelCpuSet, sched_getaffinity, sched_setaffinity};

use super::Members;
use crate::worker::bench::Bench;
use crate::worker::group::GroupPlan;
use crate::worker::settings::kernel_cpu_set;
use crate::worker::work::{Trouble, Work, trouble};

/// Steps after which it looks whether its cpuset has other CPUs by now.
const STEPS_TO_LOOK: u32 = 64;

struct AffinityChurn {
    spin_iters: u64,
    machine: KernelCpuSet,
    choices: KernelCpuSet,
    steps: u32,
}

pub(super) fn members(spin_iters: u64, plan: &GroupPlan<'_>) -> Members {
    let machine = kernel_cpu_set(plan.topology.cpus());
    vec![Box::new(AffinityChurn { spin_iters, machine, choices: KernelCpuSet::new(), steps: 0 })]
}

impl AffinityChurn {
    /// The kernel takes what a cpuset does not have out of a wish, and so tells what it has.
    fn look_at_cpuset(&mut self) -> Result<(), Trouble> {
        let cpus = sched_setaffinity(None, &self.machine).and_then(|()| sched_getaffinity(None));
        self.choices = cpus.map_err(trouble("learn the CPUs of its cpuset"))?;
        Ok(())
    }

    fn bind(&self, bench: &mut Bench<'_>) -> Result<(), Errno> {
        let nth = bench.random().below(self.choices.count()) as usize;
        let cpu = (0..MAX_CPUS as usize).filter(|cpu| self.choices.is_set(*cpu)).nth(nth);
        let mut one = KernelCpuSet::new();
        one.set(cpu.unwrap_or_default());
        sched_setaffinity(None, &one)
    }
}

impl Work for AffinityChurn {
    fn prepare(&mut self, _: &mut Bench<'_>) -> Result<(), Trouble> {
        self.look_at_cpuset()
    }

    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        self.steps += 1;
        let mut bound = Err(Errno::INVAL);
        if self.steps < STEPS_TO_LOOK {
            bound = self.bind(bench);
        }
        // That CPU may just have left the cpuset, or gone off line.
        if bound == Err(Errno::INVAL) {
            self.steps = 0;
            self.look_at_cpuset()?;
            bound = self.bind(bench);
        }
        match bound {
            // Twice in a row: the cpuset changes as quickly as it is looked at.
            Ok(()) | Err(Errno::INVAL) => bench.spin(self.spin_iters),
            Err(errno) => return Err(trouble("bind itself to a CPU")(errno)),
        }
        Ok(())
    }
}
