//! The time stamp counter. Without dependencies: the test process reads it too.

/// Its value, or 0 on processors that have none.
pub fn time_stamp() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: user space may read it unless the kernel forbids it, which Linux does on request of the process only.
    unsafe {
        core::arch::x86_64::_rdtsc()
    }
    #[cfg(not(target_arch = "x86_64"))]
    0
}
