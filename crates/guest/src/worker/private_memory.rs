//! Memory of one worker.

use std::io;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

use super::work::{Trouble, trouble};

/// Bytes of a page. x86-64 has no smaller ones.
pub(crate) const PAGE: usize = 4096;

/// Memory that no other worker sees, in small pages, none of which is present before it is touched.
pub(crate) struct PrivateMemory {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread, and is this value's alone.
unsafe impl Send for PrivateMemory {}

impl PrivateMemory {
    /// At least this much, in whole pages.
    ///
    /// # Errors
    /// When the kernel does not map it.
    pub(crate) fn new(size_kb: usize) -> Result<Self, Trouble> {
        let action = || trouble(format!("map {size_kb} KiB of memory"));
        let len = size_kb.checked_mul(1024).and_then(|bytes| bytes.max(1).checked_next_multiple_of(PAGE));
        let len = len.ok_or(rustix::io::Errno::NOMEM).map_err(action())?;
        // SAFETY: a new mapping at an address that the kernel chooses.
        let base = unsafe {
            mmap_anonymous(ptr::null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE)
        };
        let base = NonNull::new(base.map_err(action())?.cast()).ok_or(rustix::io::Errno::NOMEM);
        let memory = Self { base: base.map_err(action())?, len };
        // One fault would bring in hundreds of pages at once. A kernel without large pages does not know the advice.
        // SAFETY: the mapping is this value's, and the advice keeps its content.
        let _ = unsafe { madvise(memory.base.as_ptr().cast(), len, Advice::LinuxNoHugepage) };
        Ok(memory)
    }

    /// How many pages it has.
    pub(crate) fn pages(&self) -> usize {
        self.len / PAGE
    }

    /// Writes to one page. Does not read: that would be a fault of its own, which brings in the page of zeroes.
    pub(crate) fn touch(&mut self, page: usize) {
        // SAFETY: a byte of this value's memory. Volatile, or else nothing would come of it.
        unsafe { ptr::write_volatile(&mut self[page * PAGE], 1) };
    }

    /// Gives all pages back to the kernel: the next touch of each brings in a page of zeroes.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn give_back(&mut self) -> Result<(), Trouble> {
        // SAFETY: the mapping is this value's, borrowed mutably; zeroes are as good as any bytes.
        let given = unsafe { madvise(self.base.as_ptr().cast(), self.len, Advice::LinuxDontNeed) };
        given.map_err(trouble("give memory back"))
    }
}

impl Deref for PrivateMemory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the mapping is this value's, and all bytes of it are zero or written.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), self.len) }
    }
}

impl DerefMut for PrivateMemory {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and this value is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr(), self.len) }
    }
}

impl Drop for PrivateMemory {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's, and nothing that borrowed from it is left. It cannot fail then.
        let _: io::Result<()> = unsafe { munmap(self.base.as_ptr().cast(), self.len) }.map_err(Into::into);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_is_zero_again() {
        let mut memory = PrivateMemory::new(9).unwrap();
        assert_eq!((memory.pages(), memory.len()), (3, 3 * PAGE));
        (0..3).for_each(|page| memory.touch(page));
        assert_eq!(memory.iter().map(|byte| usize::from(*byte)).sum::<usize>(), 3);
        memory.give_back().unwrap();
        assert!(memory.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn says_how_much_there_is_not() {
        for size_kb in [usize::MAX, usize::MAX / 1024] {
            let error = PrivateMemory::new(size_kb).map(drop).unwrap_err().to_string();
            assert!(error.starts_with(&format!("could not map {size_kb} KiB of memory: ")), "{error}");
        }
    }
}
