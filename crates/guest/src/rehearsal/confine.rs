//! What a body may ask of the kernel while it is rehearsed.

use std::collections::BTreeMap;
use std::mem;
use std::ptr;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

/// What computing needs: memory, locks, the clock, chance, an end.
const ALLOWED: [libc::c_long; 20] = [
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_madvise,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_yield,
    libc::SYS_sigaltstack,
    libc::SYS_time,
];
/// To its output, which leads nowhere.
const WRITES: [libc::c_long; 2] = [libc::SYS_write, libc::SYS_writev];
const STDERR: u64 = 2;

/// From now on every other system call ends this process.
///
/// # Errors
/// When the kernel has no seccomp.
pub(super) fn confine() -> Result<(), seccompiler::Error> {
    let program = program()?;
    end_on_sigsys();
    seccompiler::apply_filter(&program)
}

fn program() -> Result<BpfProgram, seccompiler::BackendError> {
    let to_output = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Le, STDERR)?;
    let to_output = SeccompRule::new(vec![to_output])?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.into_iter().map(|call| (call, Vec::new())).collect();
    rules.extend(WRITES.map(|call| (call, vec![to_output.clone()])));
    // A trap, not a kill: the kernel notes kills in its log.
    SeccompFilter::new(rules, SeccompAction::Trap, SeccompAction::Allow, TargetArch::x86_64)?.try_into()
}

extern "C" fn end(_: libc::c_int) {
    super::end();
}

fn end_on_sigsys() {
    // SAFETY: an action of zeroes is a valid one.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = end as extern "C" fn(libc::c_int) as usize;
    // SAFETY: the action is valid, and its handler only ends the process. Without it SIGSYS ends it too.
    unsafe { libc::sigaction(libc::SIGSYS, &raw const action, ptr::null_mut()) };
}
