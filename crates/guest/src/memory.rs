//! Memory shared with the host or with other processes.

use std::io;
use std::os::fd::BorrowedFd;
use std::ptr::{self, NonNull};

use ktstr_wire::layout::Area;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, mmap_anonymous, munmap};

/// A shared mapping, accessed with volatile loads and stores: somebody else reads and writes it too.
pub(crate) struct SharedMemory {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread, and stays until it is dropped.
unsafe impl Send for SharedMemory {}

impl SharedMemory {
    /// Maps a part of a file, which may be a PCI BAR. Forked workers do not get it: copying the page tables of megabytes
    /// for each of them would cost more than the fork.
    pub(crate) fn of_file(file: BorrowedFd<'_>, area: Area) -> io::Result<Self> {
        let len = area.size as usize;
        // SAFETY: a new mapping at an address that the kernel chooses.
        let base = unsafe {
            mmap(
                ptr::null_mut(),
                len,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                file,
                area.offset,
            )?
        };
        let memory = Self::at(base.cast(), len)?;
        memory.keep_from_forks()?;
        Ok(memory)
    }

    /// Processes that are forked from now on do not get it.
    pub(crate) fn keep_from_forks(&self) -> io::Result<()> {
        // SAFETY: the range is the mapping's; its own process keeps it.
        let done = unsafe { madvise(self.base.as_ptr().cast(), self.len, Advice::LinuxDontFork) };
        done.map_err(Into::into)
    }

    /// Zeroed memory that forked processes share, with every page present.
    pub(crate) fn anonymous(len: usize) -> io::Result<Self> {
        let flags = MapFlags::SHARED | MapFlags::POPULATE;
        // SAFETY: a new mapping at an address that the kernel chooses.
        let base =
            unsafe { mmap_anonymous(ptr::null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, flags)? };
        Self::at(base.cast(), len)
    }

    fn at(base: *mut u8, len: usize) -> io::Result<Self> {
        let base = NonNull::new(base).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self { base, len })
    }

    /// Where `len` bytes at `offset` are.
    ///
    /// # Panics
    /// When they are not all inside: offsets come from the layout, never from what is read.
    pub(crate) fn address(&self, offset: usize, len: usize) -> *mut u8 {
        let end = offset.checked_add(len);
        assert!(end.is_some_and(|end| end <= self.len), "{len} bytes at {offset} of {}", self.len);
        // SAFETY: inside the mapping, as was just checked.
        unsafe { self.base.as_ptr().add(offset) }
    }

    /// The word at `offset`, which is a multiple of its size.
    pub(crate) fn word<T: Word>(&self, offset: usize) -> T {
        let address: *mut T = self.address(offset, size_of::<T>()).cast();
        assert!(address.is_aligned(), "a word at {offset}");
        // SAFETY: inside the mapping, aligned, and every pattern of bits is a `T`.
        unsafe { address.read_volatile() }
    }

    /// Sets the word at `offset`, which is a multiple of its size.
    pub(crate) fn set_word<T: Word>(&self, offset: usize, value: T) {
        let address: *mut T = self.address(offset, size_of::<T>()).cast();
        assert!(address.is_aligned(), "a word at {offset}");
        // SAFETY: inside the mapping and aligned.
        unsafe { address.write_volatile(value) };
    }

    /// Copies `len` bytes out.
    pub(crate) fn read(&self, offset: usize, len: usize) -> Vec<u8> {
        let from = self.address(offset, len);
        // SAFETY: `len` bytes from there are inside the mapping.
        (0..len).map(|at| unsafe { from.add(at).read_volatile() }).collect()
    }

    /// Copies bytes in, eight at a time where the addresses allow it.
    pub(crate) fn write(&self, offset: usize, bytes: &[u8]) {
        let to = self.address(offset, bytes.len());
        let head = to.align_offset(8).min(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at..].first_chunk::<8>() {
                // SAFETY: inside the mapping; aligned because `head` bytes came before, and eights since.
                Some(eight) if at >= head => unsafe {
                    to.add(at).cast::<u64>().write_volatile(u64::from_ne_bytes(*eight));
                    at += 8;
                },
                // SAFETY: inside the mapping.
                _ => unsafe {
                    to.add(at).write_volatile(bytes[at]);
                    at += 1;
                },
            }
        }
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's, and nothing that borrowed from it is left. It cannot fail then.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
    }
}

/// Words of the channel. Little-endian, as are all machines that ktstr runs on.
pub(crate) trait Word: Copy {}
impl Word for u8 {}
impl Word for u32 {}
impl Word for u64 {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn holds_what_is_written_at_any_offset(offset in 0usize..40, bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let memory = SharedMemory::anonymous(4096).unwrap();
            memory.write(offset, &bytes);
            prop_assert_eq!(memory.read(offset, bytes.len()), bytes.clone());
            prop_assert!(memory.read(0, offset).iter().all(|byte| *byte == 0));
            prop_assert!(memory.read(offset + bytes.len(), 30).iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    #[should_panic(expected = "8 bytes at 4090")]
    fn nothing_is_reached_beyond_the_end() {
        SharedMemory::anonymous(4096).unwrap().set_word(4090, 1u64);
    }
}
