//! The agent's view of the channel.

use std::fs::{File, OpenOptions};
use std::os::fd::{AsRawFd, RawFd};

use crate::Failure;
use crate::layout::{Area, HEADER, LOG_HEADER, MAGIC, MESSAGE, VERSION, word};
use crate::nfit;
use crate::sys::Mapping;

/// The channel: its header is mapped for good, other areas when they are used.
pub struct Channel {
    /// The machine's physical memory.
    memory: File,
    /// Where the channel begins in it.
    address: u64,
    header: Mapping,
}

impl Channel {
    /// Maps the header and checks that it is a channel of this layout.
    pub fn open() -> Result<Self, Failure> {
        let address = nfit::channel_address()?;
        let memory = OpenOptions::new().read(true).write(true).open("/dev/mem").map_err(|e| format!("/dev/mem: {e}"))?;
        let header = Mapping::new(Some(memory.as_raw_fd()), address + HEADER.offset, HEADER.size as usize)?;
        let channel = Self { memory, address, header };
        let (magic, version) = (channel.u64(word::MAGIC), channel.u32(word::VERSION));
        if magic != MAGIC || version != VERSION {
            return Err(format!("not a channel of version {VERSION}: magic {magic:#x}, version {version}"));
        }
        Ok(channel)
    }

    /// The descriptor of the memory that the channel is in.
    pub fn fd(&self) -> RawFd {
        self.memory.as_raw_fd()
    }

    /// Where the channel begins in that memory.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// Maps a part of the channel.
    pub fn map(&self, offset: u64, len: usize) -> Result<Mapping, Failure> {
        Mapping::new(Some(self.fd()), self.address + offset, len)
    }

    /// Reads a header word.
    pub fn u32(&self, at: usize) -> u32 {
        // SAFETY: every word of the layout is aligned and inside the header.
        unsafe { self.header.as_ptr().add(at).cast::<u32>().read_volatile() }
    }

    /// Reads a header word.
    pub fn u64(&self, at: usize) -> u64 {
        // SAFETY: as for `u32`.
        unsafe { self.header.as_ptr().add(at).cast::<u64>().read_volatile() }
    }

    /// Writes a header word.
    pub fn set_u32(&self, at: usize, value: u32) {
        // SAFETY: as for `u32`.
        unsafe { self.header.as_ptr().add(at).cast::<u32>().write_volatile(value) }
    }

    /// Writes a header word.
    pub fn set_u64(&self, at: usize, value: u64) {
        // SAFETY: as for `u32`.
        unsafe { self.header.as_ptr().add(at).cast::<u64>().write_volatile(value) }
    }

    /// Fills an area and then writes its length.
    pub fn write_area(&self, area: Area, length_word: usize, bytes: &[u8]) -> Result<(), Failure> {
        let length = bytes.len().min(area.size as usize);
        let mapping = self.map(area.offset, length)?;
        // SAFETY: the mapping is at least `length` bytes long.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), mapping.as_ptr(), length) };
        self.set_u64(length_word, length as u64);
        Ok(())
    }

    /// Says why the agent gives up.
    pub fn write_message(&self, message: &str) {
        let _ = self.write_area(MESSAGE, word::MESSAGE_LEN, message.as_bytes());
    }
}

/// A log area that is being written to.
pub struct Log {
    mapping: Mapping,
    ring: usize,
}

impl Log {
    /// The log in `area`.
    pub fn new(channel: &Channel, area: Area) -> Result<Self, Failure> {
        let mapping = channel.map(area.offset, area.size as usize)?;
        Ok(Self { mapping, ring: (area.size - LOG_HEADER) as usize })
    }

    /// Appends bytes; the oldest are overwritten when the ring is full.
    pub fn append(&mut self, bytes: &[u8]) {
        // Counted in the channel, not here: a clone of a loaded template has another channel.
        // SAFETY: the header's first word is aligned and inside the mapping.
        let mut written = unsafe { self.mapping.as_ptr().cast::<u64>().read_volatile() };
        for chunk in bytes.chunks(self.ring) {
            let at = (written % self.ring as u64) as usize;
            let (first, second) = chunk.split_at(chunk.len().min(self.ring - at));
            // SAFETY: both copies stay within the ring behind the log's header.
            unsafe {
                let ring = self.mapping.as_ptr().add(LOG_HEADER as usize);
                std::ptr::copy_nonoverlapping(first.as_ptr(), ring.add(at), first.len());
                std::ptr::copy_nonoverlapping(second.as_ptr(), ring, second.len());
            }
            written += chunk.len() as u64;
        }
        // SAFETY: as above.
        unsafe { self.mapping.as_ptr().cast::<u64>().write_volatile(written) };
    }
}
