//! What a worker sets for itself before it works: affinity, policies, user.

use ktstr_model::{CpuSet, MAX_CPUS, SchedPolicy};
use rustix::io::Errno;
use rustix::thread::{CpuSet as KernelCpuSet, sched_setaffinity};

use super::mem_policy::KernelPolicy;
use super::work::{Trouble, last_errno, trouble};

const SCHED_EXT: i32 = 7;

/// What a worker sets for itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// The CPUs that it asks for; `None` for what it inherits.
    pub cpus: Option<CpuSet>,
    /// Its policy.
    pub policy: SchedPolicy,
    /// Its nice value; `None` for what it inherits.
    pub nice: Option<i32>,
    /// Its memory policy; `None` for the kernel's.
    pub memory: Option<KernelPolicy>,
    /// Its user.
    pub uid: Option<u32>,
    /// Its group.
    pub gid: Option<u32>,
}

impl Settings {
    /// Sets all but user and group, for the calling thread.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn apply(&self) -> Result<(), Trouble> {
        if let Some(cpus) = &self.cpus {
            set_affinity(cpus)?;
        }
        if let Some(nice) = self.nice {
            set_nice(nice)?;
        }
        if self.policy != SchedPolicy::Normal {
            set_policy(self.policy)?;
        }
        self.memory.as_ref().map_or(Ok(()), KernelPolicy::set)
    }

    /// Sets group and user, for the calling thread only.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn drop_rights(&self) -> Result<(), Trouble> {
        // The system calls, not libc's functions: those change all threads of a process.
        let set = |call, id: Option<u32>, what: &str| {
            let Some(id) = id else { return Ok(()) };
            // SAFETY: three numbers are all that the call takes.
            match unsafe { libc::syscall(call, id, id, id) } {
                0 => Ok(()),
                _ => Err(trouble(format!("run as {what} {id}"))(last_errno())),
            }
        };
        set(libc::SYS_setresgid, self.gid, "group")?;
        set(libc::SYS_setresuid, self.uid, "user")
    }
}

/// Asks for these CPUs, for the calling thread.
///
/// # Errors
/// When none of them is on line and in the cpuset.
pub(crate) fn set_affinity(cpus: &CpuSet) -> Result<(), Trouble> {
    sched_setaffinity(None, &kernel_cpu_set(cpus))
        .map_err(|errno| trouble(format!("set its affinity to CPUs {cpus}"))(errno))
}

/// The set as the kernel takes it.
pub(crate) fn kernel_cpu_set(cpus: &CpuSet) -> KernelCpuSet {
    let mut set = KernelCpuSet::new();
    cpus.iter().filter(|cpu| *cpu < MAX_CPUS).for_each(|cpu| set.set(cpu as usize));
    set
}

/// Takes on a policy, for the calling thread. The nice value stays.
///
/// # Errors
/// When the kernel refuses, or does not have the policy.
pub(crate) fn set_policy(policy: SchedPolicy) -> Result<(), Trouble> {
    let number = match policy {
        SchedPolicy::Normal => libc::SCHED_OTHER,
        SchedPolicy::Batch => libc::SCHED_BATCH,
        SchedPolicy::Idle => libc::SCHED_IDLE,
        SchedPolicy::Fifo(_) => libc::SCHED_FIFO,
        SchedPolicy::RoundRobin(_) => libc::SCHED_RR,
        SchedPolicy::Ext => SCHED_EXT,
    };
    let parameters = libc::sched_param { sched_priority: policy.priority() as i32 };
    // The system call, because libc knows of some policies only.
    // SAFETY: the parameters are valid for reading.
    match unsafe { libc::syscall(libc::SYS_sched_setscheduler, 0, number, &raw const parameters) } {
        0 => Ok(()),
        _ => Err(trouble(format!("take on the policy {policy:?}"))(last_errno())),
    }
}

/// Takes on a nice value, for the calling thread.
///
/// # Errors
/// When the kernel refuses.
pub(crate) fn set_nice(nice: i32) -> Result<(), Trouble> {
    // Linux takes 0 for the calling thread, not for the process.
    rustix::process::setpriority_process(None, nice)
        .map_err(|errno: Errno| trouble(format!("take on the nice value {nice}"))(errno))
}
