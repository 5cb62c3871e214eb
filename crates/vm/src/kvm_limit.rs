//! What the host's KVM says of its limits.

use std::ffi::{c_int, c_void};
use std::fs;
use std::io;
use std::os::fd::AsFd;

use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl, opcode};

/// `KVMIO` and the number of `KVM_CHECK_EXTENSION` (`include/uapi/linux/kvm.h`).
const CHECK_EXTENSION: Opcode = opcode::none(0xAE, 0x03);
/// `KVM_CAP_MAX_VCPUS`: the most virtual CPUs of a machine.
const MAX_VCPUS: usize = 66;
/// `KVM_CAP_NR_VCPUS`: how many it is good for. A kernel without the limit above means this one (KVM's API document, 4.7).
const NR_VCPUS: usize = 9;

/// The most virtual CPUs that KVM gives a machine; `None` when it cannot be asked.
pub(crate) fn most_vcpus() -> Option<u32> {
    let kvm = fs::OpenOptions::new().read(true).write(true).open("/dev/kvm").ok()?;
    most_vcpus_of(&kvm).ok()
}

fn most_vcpus_of(kvm: impl AsFd) -> io::Result<u32> {
    let ask = |capability| {
        // SAFETY: the request takes a number and returns one; no memory is touched.
        let answer = unsafe { ioctl(kvm.as_fd(), CheckExtension { capability }) };
        answer.map(|answer| u32::try_from(answer).unwrap_or(0)).map_err(io::Error::from)
    };
    match ask(MAX_VCPUS)? {
        0 => ask(NR_VCPUS),
        most => Ok(most),
    }
}

/// Asks what there is of a capability; 0 stands for nothing.
struct CheckExtension {
    capability: usize,
}

// SAFETY: the kernel takes the argument for a number, and the answer is the call's own result.
unsafe impl Ioctl for CheckExtension {
    type Output = c_int;
    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        CHECK_EXTENSION
    }

    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::without_provenance_mut(self.capability)
    }

    unsafe fn output_from_ptr(answer: IoctlOutput, _: *mut c_void) -> rustix::io::Result<c_int> {
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_with_kvm_has_a_limit_above_its_own_cpus() {
        let Some(most) = most_vcpus() else { return };
        assert!(most >= std::thread::available_parallelism().unwrap().get() as u32, "{most}");
    }

    #[test]
    fn what_is_not_kvm_gives_no_limit() {
        let error = most_vcpus_of(fs::File::open("/dev/null").unwrap()).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::NOTTY.raw_os_error()), "{error}");
    }
}
