//! The host's half of the channel: writing the input, reading the output.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;

use ktstr_wire::layout::{
    Area, CHANNEL_SIZE, HEADER, LOG_HEADER, MAGIC, ORDER, PAYLOAD, TEST_LOG, VERSION, word,
};
use ktstr_wire::{LogText, read_log};
use rustix::fs::{MemfdFlags, memfd_create};

use crate::error::VmError;
use crate::payload::Payload;

/// What a clone is to do.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    /// The run's seed, for the kernel's random numbers.
    pub seed: u64,
    /// The encoded order.
    pub order: &'a [u8],
}

impl Work<'_> {
    pub(crate) fn check_fits(self) -> Result<(), VmError> {
        match self.order.len() {
            length if length as u64 > ORDER.size => Err(VmError::OrderTooLarge(length)),
            _ => Ok(()),
        }
    }
}

/// What a machine finds in its channel.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Input<'a> {
    /// Files to unpack. The agent of a machine without any does not go on.
    pub payload: Option<&'a Payload>,
    /// What to do with them. A machine without it loads them and stops.
    pub work: Option<Work<'a>>,
    /// What the test process wrote before it was saved.
    pub test_log: &'a [u8],
}

/// Makes a channel in memory.
pub(crate) fn create(input: Input<'_>) -> Result<File, VmError> {
    let fd = memfd_create("ktstr-channel", MemfdFlags::CLOEXEC)
        .map_err(VmError::system("creating the channel"))?;
    let mut file = File::from(fd);
    fill(&mut file, input).map_err(VmError::system("writing the channel"))?;
    Ok(file)
}

/// A channel in memory that holds only an order: for the process of a test that is started by hand in a guest which is
/// there already.
///
/// # Errors
/// When the order does not fit, or there is no memory for it.
pub fn channel_with_order(work: Work<'_>) -> Result<File, VmError> {
    work.check_fits()?;
    create(Input { work: Some(work), ..Input::default() })
}

fn fill(file: &mut File, input: Input<'_>) -> io::Result<()> {
    file.set_len(CHANNEL_SIZE)?;
    let mut header = vec![0; HEADER.size as usize];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(word::MAGIC, &MAGIC.to_le_bytes());
    put(word::VERSION, &VERSION.to_le_bytes());
    if let Some(payload) = input.payload {
        file.seek(SeekFrom::Start(PAYLOAD.offset))?;
        payload.write_to(&mut *file)?;
        let payload_len = file.stream_position()? - PAYLOAD.offset;
        put(word::RUN, &1u32.to_le_bytes());
        put(word::PAYLOAD_LEN, &payload_len.to_le_bytes());
    }
    if let Some(work) = input.work {
        file.seek(SeekFrom::Start(ORDER.offset))?;
        file.write_all(work.order)?;
        put(word::SEED, &work.seed.to_le_bytes());
        put(word::ORDER_LEN, &(work.order.len() as u64).to_le_bytes());
    }
    if !input.test_log.is_empty() {
        file.write_all_at(&(input.test_log.len() as u64).to_le_bytes(), TEST_LOG.offset)?;
        file.write_all_at(input.test_log, TEST_LOG.offset + LOG_HEADER)?;
    }
    file.write_all_at(&header, 0)
}

/// The host's view of a machine's channel. Reading it does not disturb the machine.
pub struct ChannelReader(File);

impl ChannelReader {
    /// The channel in `file`, which a machine or a process has mapped.
    ///
    /// # Errors
    /// When this process has no descriptor left.
    pub fn of(file: &File) -> Result<Self, VmError> {
        file.try_clone().map(Self).map_err(VmError::system("dup"))
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), VmError> {
        self.0.read_exact_at(buffer, offset).map_err(VmError::system("reading the channel"))
    }

    /// A header word of 32 bits.
    pub fn u32(&self, at: usize) -> Result<u32, VmError> {
        let mut bytes = [0; 4];
        self.read(at as u64, &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// A header word of 64 bits.
    pub fn u64(&self, at: usize) -> Result<u64, VmError> {
        let mut bytes = [0; 8];
        self.read(at as u64, &mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// What is in an area, up to the length that its header word tells.
    pub fn area(&self, area: Area, length_word: usize) -> Result<Vec<u8>, VmError> {
        let length = self.u64(length_word)?.min(area.size);
        let mut bytes = vec![0; length as usize];
        self.read(area.offset, &mut bytes)?;
        Ok(bytes)
    }

    /// A log area's text.
    pub fn log(&self, area: Area) -> Result<LogText, VmError> {
        let mut bytes = vec![0; area.size as usize];
        self.read(area.offset, &mut bytes)?;
        Ok(read_log(&bytes))
    }
}
