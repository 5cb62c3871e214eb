//! The guest's side of the channel, as the test process sees it.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{Ordering, fence};

use ktstr_model::{RunOrder, RunReport};
use ktstr_wire::layout::{self, Area, LOG_HEADER, word};
use rustix::io::{FdFlags, fcntl_setfd};

use crate::error::GuestError;
use crate::memory::SharedMemory;

/// The channel. Its parts are mapped one by one, when they are needed: the whole of it would be 256 MiB of page tables.
pub(crate) struct Channel {
    file: OwnedFd,
    /// Where the channel begins in the file.
    address: u64,
    header: SharedMemory,
}

impl Channel {
    /// Opens the channel that the boot agent handed over. Programs that this process starts do not inherit it.
    ///
    /// # Errors
    /// When the descriptor is no channel of this version.
    pub(crate) fn inherited() -> Result<Self, GuestError> {
        let place = std::env::var(layout::GUEST_VARIABLE).unwrap_or_default();
        let address = place.parse().map_err(|_| GuestError::ChannelAddress(place))?;
        // SAFETY: nobody else in this process knows of the descriptor, and nobody closes it.
        let fd = unsafe { BorrowedFd::borrow_raw(layout::CHANNEL_FD) };
        let error = |source| GuestError::ChannelMap { area: "descriptor", fd: layout::CHANNEL_FD, source };
        fcntl_setfd(fd, FdFlags::CLOEXEC).map_err(|errno| error(errno.into()))?;
        Self::open(fd.try_clone_to_owned().map_err(error)?, address)
    }

    /// Opens the channel that begins at `address` in `file`.
    ///
    /// # Errors
    /// When it is no channel of this version.
    pub(crate) fn open(file: OwnedFd, address: u64) -> Result<Self, GuestError> {
        let header = map(&file, address, "header", layout::HEADER)?;
        let (magic, version) = (header.word(word::MAGIC), header.word(word::VERSION));
        if (magic, version) != (layout::MAGIC, layout::VERSION) {
            return Err(GuestError::ChannelForeign {
                magic,
                version,
                wanted_magic: layout::MAGIC,
                wanted_version: layout::VERSION,
            });
        }
        Ok(Self { file, address, header })
    }

    /// Whether the host has left an order.
    pub(crate) fn has_order(&self) -> bool {
        self.header.word::<u64>(word::ORDER_LEN) != 0
    }

    /// The run's seed.
    pub(crate) fn seed(&self) -> u64 {
        self.header.word(word::SEED)
    }

    /// Tells the host how far the guest has come.
    pub(crate) fn reached(&self, stage: u32) {
        self.header.set_word(word::STAGE, stage);
    }

    /// Tells the host the time stamp counter's value at which the machine is stopped.
    pub(crate) fn stops(&self, time_stamp: u64) {
        self.header.set_word(word::STOP_TSC, time_stamp);
    }

    /// Tells the host that the clone of a loaded template has woken up, at `at_ns`.
    pub(crate) fn awake(&self, at_ns: u64) {
        self.header.set_word(word::AWAKE_NS, at_ns);
        self.reached(layout::stage::STARTED);
    }

    /// Reads the order.
    ///
    /// # Errors
    /// When it is not one that this build understands.
    pub(crate) fn order(&self) -> Result<RunOrder, GuestError> {
        let len: u64 = self.header.word(word::ORDER_LEN);
        fits("order", len, layout::ORDER)?;
        let bytes = self.map("order", layout::ORDER)?.read(0, len as usize);
        Ok(ktstr_wire::decode("the order", &bytes)?)
    }

    /// Tells the host that the test function begins now, at `at_ns`.
    pub(crate) fn test_begins(&self, at_ns: u64) {
        self.header.set_word(word::TEST_BEGAN_NS, at_ns);
        self.reached(layout::stage::TEST_BEGAN);
    }

    fn map(&self, name: &'static str, area: Area) -> Result<SharedMemory, GuestError> {
        map(&self.file, self.address, name, area)
    }

    /// The area of a log, for appending to it.
    ///
    /// # Errors
    /// When it cannot be mapped.
    pub(crate) fn log(&self, name: &'static str, area: Area) -> Result<LogArea, GuestError> {
        Ok(LogArea { memory: self.map(name, area)?, ring: area.size - LOG_HEADER })
    }

    /// Writes the report, its length last: while that is zero there is no report.
    ///
    /// # Errors
    /// When the report is larger than its area.
    pub(crate) fn write_report(&self, report: &RunReport) -> Result<(), GuestError> {
        let bytes = ktstr_wire::encode(report).map_err(|error| GuestError::Report(error.to_string()))?;
        fits("report", bytes.len() as u64, layout::REPORT)?;
        self.map("report", layout::REPORT)?.write(0, &bytes);
        fence(Ordering::Release);
        self.header.set_word(word::REPORT_LEN, bytes.len() as u64);
        Ok(())
    }
}

fn map(file: &OwnedFd, address: u64, name: &'static str, area: Area) -> Result<SharedMemory, GuestError> {
    SharedMemory::of_file(file.as_fd(), Area { offset: address + area.offset, ..area })
        .map_err(|source| GuestError::ChannelMap { area: name, fd: file.as_raw_fd(), source })
}

fn fits(area: &'static str, len: u64, place: Area) -> Result<(), GuestError> {
    if len <= place.size { Ok(()) } else { Err(GuestError::AreaTooSmall { area, len, size: place.size }) }
}

/// A log area: a count of all bytes ever written and a ring that holds the last of them.
pub(crate) struct LogArea {
    memory: SharedMemory,
    ring: u64,
}

impl LogArea {
    /// Appends bytes; the oldest make room.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        let mut written: u64 = self.memory.word(0);
        let mut rest = bytes;
        while !rest.is_empty() {
            let at = written % self.ring;
            let (now, later) = rest.split_at(rest.len().min((self.ring - at) as usize));
            self.memory.write((LOG_HEADER + at) as usize, now);
            written += now.len() as u64;
            rest = later;
        }
        fence(Ordering::Release);
        self.memory.set_word(0, written);
    }
}

#[cfg(test)]
pub(crate) mod tests;
