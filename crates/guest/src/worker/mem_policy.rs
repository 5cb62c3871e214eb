//! Memory policies as the kernel takes them.

use std::collections::BTreeSet;

use ktstr_model::{MemPolicy, MpolFlags};

use super::work::{Trouble, last_errno, trouble};
use crate::error::GuestError;

const MASK_WORDS: usize = 16;
/// Of `linux/mempolicy.h`; libc does not have it.
const MPOL_MF_MOVE: libc::c_uint = 1 << 1;

/// A memory policy with its flags, checked against the nodes that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KernelPolicy {
    mode: u32,
    mask: [u64; MASK_WORDS],
    text: String,
}

impl KernelPolicy {
    /// The policy for workers that may have memory on `allowed` nodes; `None` when it is the kernel's own.
    ///
    /// # Errors
    /// When it names no node, or nodes that are not allowed, or when the flags contradict each other or the policy.
    pub(crate) fn new(
        policy: &MemPolicy,
        flags: MpolFlags,
        allowed: &BTreeSet<usize>,
    ) -> Result<Option<Self>, GuestError> {
        let refused = |why: String| GuestError::MemPolicy { policy: policy.clone(), why };
        check_flags(policy, flags).map_err(refused)?;
        let nodes = policy.nodes();
        // Relative nodes are counted within the allowed ones, so any number is one of them.
        let outside: BTreeSet<usize> = match flags.contains(MpolFlags::RELATIVE_NODES) {
            true => nodes.iter().copied().filter(|node| *node >= MASK_WORDS * 64).collect(),
            false => nodes.difference(allowed).copied().collect(),
        };
        if !outside.is_empty() {
            let why = format!(
                "nodes {} are not among those that the cgroup may use, {}",
                list(&outside),
                list(allowed)
            );
            return Err(refused(why));
        }
        let mode = match policy {
            MemPolicy::Default => return Ok(None),
            MemPolicy::Preferred(_) => 1,
            MemPolicy::Bind(_) => 2,
            MemPolicy::Interleave(_) => 3,
            MemPolicy::Local => 4,
            MemPolicy::PreferredMany(_) => 5,
            MemPolicy::WeightedInterleave(_) => 6,
        };
        let mut mask = [0; MASK_WORDS];
        nodes.iter().for_each(|node| mask[node / 64] |= 1 << (node % 64));
        Ok(Some(Self { mode: mode | flags.bits(), mask, text: format!("{policy:?}") }))
    }

    /// Takes it on, for the calling thread.
    ///
    /// # Errors
    /// When the kernel refuses, or does not have the policy.
    pub(crate) fn set(&self) -> Result<(), Trouble> {
        let empty = self.mask.iter().all(|word| *word == 0);
        let (mask, bits) = if empty { (std::ptr::null(), 0) } else { (self.mask.as_ptr(), MASK_WORDS * 64) };
        // SAFETY: the mask is null or has that many bits; the kernel leaves the last one out.
        match unsafe { libc::syscall(libc::SYS_set_mempolicy, self.mode, mask, bits) } {
            0 => Ok(()),
            _ => Err(trouble(format!("take on the memory policy {}", self.text))(last_errno())),
        }
    }
}

/// Binds memory of this process to a NUMA node, and moves what is elsewhere there.
///
/// # Errors
/// When the kernel refuses.
pub(crate) fn move_to_node(memory: &mut [u8], node: usize) -> Result<(), Trouble> {
    let mut mask = [0u64; MASK_WORDS];
    mask[node / 64 % MASK_WORDS] |= 1 << (node % 64);
    let (start, len, bits) = (memory.as_mut_ptr(), memory.len(), MASK_WORDS * 64);
    // SAFETY: the memory is borrowed mutably, and its content moves with its pages; the mask has that many bits.
    let bound = unsafe {
        let (mode, flags) = (libc::MPOL_BIND, MPOL_MF_MOVE);
        libc::syscall(libc::SYS_mbind, start, len, mode, mask.as_ptr(), bits, flags)
    };
    match bound {
        0 => Ok(()),
        _ => Err(trouble(format!("move its memory to node {node}"))(last_errno())),
    }
}

fn check_flags(policy: &MemPolicy, flags: MpolFlags) -> Result<(), String> {
    if policy.names_nodes() && policy.nodes().is_empty() {
        return Err("it names no node; name at least one".to_owned());
    }
    if flags.contains(MpolFlags::STATIC_NODES | MpolFlags::RELATIVE_NODES) {
        return Err("nodes are either static or relative, not both".to_owned());
    }
    if flags != MpolFlags::NONE && !policy.names_nodes() {
        return Err("flags are for policies that name nodes".to_owned());
    }
    let balanced = matches!(policy, MemPolicy::Bind(_) | MemPolicy::PreferredMany(_));
    if flags.contains(MpolFlags::NUMA_BALANCING) && !balanced {
        return Err("NUMA_BALANCING is for Bind and PreferredMany".to_owned());
    }
    Ok(())
}

fn list(nodes: &BTreeSet<usize>) -> String {
    ktstr_model::CpuSet::of(nodes.iter().copied()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(policy: &MemPolicy, flags: MpolFlags) -> Result<Option<KernelPolicy>, String> {
        KernelPolicy::new(policy, flags, &BTreeSet::from([0, 1])).map_err(|error| error.to_string())
    }

    #[test]
    fn modes_flags_and_masks_are_the_kernels() {
        let none = MpolFlags::NONE;
        assert_eq!(of(&MemPolicy::Default, none), Ok(None));
        let bound = of(&MemPolicy::bind([0, 1]), MpolFlags::STATIC_NODES).unwrap().unwrap();
        assert_eq!((bound.mode, bound.mask[0]), (2 | 1 << 15, 0b11));
        let preferred = of(&MemPolicy::preferred(1), none).unwrap().unwrap();
        assert_eq!((preferred.mode, preferred.mask[0]), (1, 0b10));
        assert_eq!(of(&MemPolicy::Local, none).unwrap().unwrap().mode, 4);
        assert!(of(&MemPolicy::bind([7]), MpolFlags::RELATIVE_NODES).is_ok());
    }

    #[test]
    fn says_what_is_wrong() {
        for (policy, flags, word) in [
            (MemPolicy::bind([1, 2, 3]), MpolFlags::NONE, "nodes 2-3 are not among"),
            (MemPolicy::interleave([]), MpolFlags::NONE, "names no node"),
            (MemPolicy::bind([0]), MpolFlags::STATIC_NODES | MpolFlags::RELATIVE_NODES, "not both"),
            (MemPolicy::Local, MpolFlags::STATIC_NODES, "name nodes"),
            (MemPolicy::preferred(0), MpolFlags::NUMA_BALANCING, "NUMA_BALANCING"),
        ] {
            let error = of(&policy, flags).unwrap_err();
            assert!(error.contains(word) && error.contains(&format!("{policy:?}")), "{error}");
        }
    }
}
