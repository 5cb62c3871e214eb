//! Which method does which operation.

use ktstr_model::Op;

use super::Scene;
use crate::error::GuestError;

impl Scene<'_> {
    /// Does one operation.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(in crate::steps) fn act(&mut self, op: &Op) -> Result<(), GuestError> {
        match op {
            Op::AddCgroup { name } => self.add_cgroup(name).map(drop),
            Op::RemoveCgroup { cgroup } => self.remove_cgroup(cgroup),
            Op::SetCpuset { cgroup, cpus } => self.set_cpuset(cgroup, cpus),
            Op::ClearCpuset { cgroup } => self.clear_cpuset(cgroup),
            Op::SwapCpusets { a, b } => self.swap_cpusets(a, b),
            Op::Spawn { cgroup, work } => self.spawn_and_start(Some(cgroup), work),
            Op::SpawnHost { work } => self.spawn_and_start(None, work),
            Op::StopCgroup { cgroup } => self.stop_cgroup(cgroup),
            Op::SetAffinity { cgroup, affinity } => self.set_affinity(cgroup, affinity),
            Op::MoveAllTasks { from, to } => self.move_all_tasks(from, to),
            Op::RunPayload { payload, args, cgroup } => self.run_payload(payload, args, cgroup.as_deref()),
            Op::WaitPayload { name, cgroup } => self.wait_payload(name, cgroup.as_ref()),
            Op::KillPayload { name, cgroup } => self.kill_payload(name, cgroup.as_ref()),
            Op::FreezeCgroup { cgroup } => self.freeze(cgroup),
            Op::UnfreezeCgroup { cgroup } => self.unfreeze(cgroup),
            Op::CpuOffline { cpu } => self.offline.take(*cpu),
            Op::CpuOnline { cpu } => self.offline.bring(*cpu),
            // The check of the plan refuses these.
            _ => Err(GuestError::OpUnknown(op.name())),
        }?;
        // CPUs that go, and cpusets of cgroups above, change what others may use too.
        for cell in &self.cells {
            cell.cgroup.cpusets().look();
        }
        Ok(())
    }
}
