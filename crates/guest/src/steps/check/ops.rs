//! What each operation would do, and what it needs for that.

use ktstr_model::{Op, WorkSpec};

use super::{Checked, World, words};
use crate::steps::plan::Part;
use crate::worker::plausible::check_affinity;

impl World<'_> {
    pub(super) fn act(&mut self, part: &Part, op: &Op) -> Checked {
        match op {
            Op::AddCgroup { name } => self.add(part, name),
            Op::RemoveCgroup { cgroup } => {
                self.cell(cgroup)?;
                self.cells.remove(cgroup.as_ref());
                self.payloads.retain(|running| running.cell.as_deref() != Some(cgroup));
                self.gone.insert(cgroup.to_string(), format!("{} removed it", part.title));
                Ok(())
            }
            Op::SetCpuset { cgroup, cpus } => {
                let set = self.given.topo.resolve(cpus).map_err(words)?;
                self.cell(cgroup)?.cpus = Some(set);
                Ok(())
            }
            Op::ClearCpuset { cgroup } => {
                self.cell(cgroup)?.cpus = None;
                Ok(())
            }
            Op::SwapCpusets { a, b } => self.swap(a, b),
            Op::Spawn { cgroup, work } => self.spawn(part, cgroup, work),
            Op::SpawnHost { work } => {
                self.check_workers(None, &work.clone().resolve(self.given.usual_workers))
            }
            Op::StopCgroup { cgroup } => {
                let cell = self.cell(cgroup)?;
                (cell.lasting_tasks, cell.step_tasks) = (0, 0);
                self.payloads.retain(|running| running.cell.as_deref() != Some(cgroup));
                Ok(())
            }
            Op::SetAffinity { cgroup, affinity } => {
                let topo = self.given.topo;
                let cell = self.cell(cgroup)?;
                if cell.tasks() == 0 {
                    return Err(format!("cgroup {cgroup} has no workers whose affinity could change"));
                }
                let cpus = cell.cpus.as_ref().unwrap_or(topo.cpus());
                check_affinity(affinity, topo, cpus).map_err(words)
            }
            Op::MoveAllTasks { from, to } => self.move_all(from, to),
            Op::FreezeCgroup { cgroup } | Op::UnfreezeCgroup { cgroup } => self.cell(cgroup).map(drop),
            Op::CpuOffline { cpu } => self.take_off_line(*cpu),
            Op::CpuOnline { cpu } if self.offline.remove(cpu) => Ok(()),
            Op::CpuOnline { cpu } => Err(format!("CPU {cpu} is not off line")),
            Op::RunPayload { payload, cgroup, .. } => self.start_payload(part, payload, cgroup.as_deref()),
            Op::WaitPayload { name, cgroup } | Op::KillPayload { name, cgroup } => {
                self.end_payload(name, cgroup.as_ref())
            }
            Op::Snapshot { .. } | Op::WatchSnapshot { .. } => {
                Err("snapshots need the host to look into the guest, which is not built yet; leave it out"
                    .to_owned())
            }
            _ => Err("this operation is not built yet".to_owned()),
        }
    }

    fn swap(&mut self, a: &str, b: &str) -> Checked {
        if a == b {
            return Err(format!("{a} cannot exchange its cpuset with itself; name two cgroups"));
        }
        let of_b = self.cell(b)?.cpus.clone();
        let of_a = std::mem::replace(&mut self.cell(a)?.cpus, of_b);
        self.cell(b)?.cpus = of_a;
        Ok(())
    }

    fn spawn(&mut self, part: &Part, cgroup: &str, work: &WorkSpec) -> Checked {
        self.cell(cgroup)?;
        let config = work.clone().resolve(self.given.usual_workers);
        self.check_workers(self.cells.get(cgroup), &config)?;
        self.take_in(part, cgroup, &config)
    }

    fn move_all(&mut self, from_name: &str, to_name: &str) -> Checked {
        let (from, to) = (from_name, to_name);
        if from == to {
            return Err(format!("the tasks of {from} are in {to} already; name two cgroups"));
        }
        self.cell(to)?;
        let from = self.cell(from)?;
        let lasting = std::mem::take(&mut from.lasting_tasks);
        let of_step = std::mem::take(&mut from.step_tasks);
        self.cell(to)?.take_in(to_name, lasting, of_step)?;
        for running in self.payloads.iter_mut().filter(|running| running.cell.as_deref() == Some(from_name)) {
            running.cell = Some(to_name.to_owned());
        }
        Ok(())
    }

    fn take_off_line(&mut self, cpu: u32) -> Checked {
        let cpus = self.given.topo.cpus();
        if !self.given.hotplug {
            return Err(
                "only a guest's CPUs can be taken off line, and this test runs on the host".to_owned()
            );
        }
        if !cpus.contains(cpu) {
            return Err(format!("there is no CPU {cpu}; the machine has {cpus}"));
        }
        if cpu == 0 {
            return Err(
                "CPU 0 cannot be taken off line: the kernel keeps the first one; take another".to_owned()
            );
        }
        if !self.offline.insert(cpu) {
            return Err(format!("CPU {cpu} is off line already"));
        }
        Ok(())
    }
}
