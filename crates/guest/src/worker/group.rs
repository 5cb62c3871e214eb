//! What is known, and what can be shared, when a group of workers is made.

use std::collections::BTreeSet;
use std::io;
use std::marker::PhantomData;
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64};

use ktstr_model::{CpuSet, Mode};

use crate::memory::SharedMemory;
use crate::topology::TestTopology;

/// What is known when a group of workers is made, before any of them is forked.
pub(crate) struct GroupPlan<'a> {
    /// Which group of its call it is, from 0.
    pub number: usize,
    /// How many members the group has: the work type's group size.
    pub size: usize,
    /// What the clock follows.
    pub mode: Mode,
    /// The machine.
    pub topology: &'a TestTopology,
    /// The CPUs that the workers may use: their cgroup's, at the time when they are made.
    pub cpus: &'a CpuSet,
    /// The NUMA nodes whose memory they may use, likewise.
    pub nodes: &'a BTreeSet<usize>,
    /// Their cgroup's folder; `None` outside of all cgroups of the test.
    pub cgroup: Option<&'a Path>,
}

/// Memory that the members of a group share, all zeroes at first. Clone an `Arc` of it into each member.
pub(crate) struct Shared<T: Zeroable> {
    memory: SharedMemory,
    len: usize,
    of: PhantomData<T>,
}

/// A type for which all zeroes is a value, and which many processes may use at once.
///
/// # Safety
/// Both must be so.
pub(crate) unsafe trait Zeroable: Sync {}

// SAFETY: atomics are for that, and zero is a value.
unsafe impl Zeroable for AtomicU32 {}
// SAFETY: as above.
unsafe impl Zeroable for AtomicI32 {}
// SAFETY: as above.
unsafe impl Zeroable for AtomicU64 {}
// SAFETY: as its elements.
unsafe impl<T: Zeroable, const N: usize> Zeroable for [T; N] {}

impl<T: Zeroable> Shared<T> {
    /// Memory for `len` values.
    ///
    /// # Errors
    /// When there is not enough.
    pub(crate) fn new(len: usize) -> io::Result<Self> {
        let bytes = len.max(1).checked_mul(size_of::<T>()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { memory: SharedMemory::anonymous(bytes)?, len, of: PhantomData })
    }
}

impl<T: Zeroable> Deref for Shared<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        let first = self.memory.address(0, self.len * size_of::<T>()).cast();
        // SAFETY: inside the mapping, which is page-aligned; all zeroes is a value of `T`, and others may use it too.
        unsafe { std::slice::from_raw_parts(first, self.len) }
    }
}

// SAFETY: it gives out `&T` only, and `T` is `Sync`.
unsafe impl<T: Zeroable> Sync for Shared<T> {}
