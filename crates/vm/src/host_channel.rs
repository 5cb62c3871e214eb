//! The host's half of the channel: writing the input, finding and reading the output.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use ktstr_wire::layout::{Area, CHANNEL_SIZE, HEADER, MAGIC, ORDER, PAYLOAD, VERSION, word};
use ktstr_wire::{LogText, read_log};
use rustix::fs::{MemfdFlags, memfd_create};

use crate::error::VmError;
use crate::payload::Payload;

/// The channel file's name as it appears in `/proc/PID/maps`.
const NAME: &str = "ktstr-channel";

/// What a clone finds in its channel.
pub struct Work<'a> {
    /// The run's seed, for the kernel's random numbers.
    pub seed: u64,
    /// The encoded order.
    pub order: &'a [u8],
    /// The files it needs.
    pub payload: &'a Payload,
}

/// Makes a channel in memory. Without `work` it is a template's.
pub fn create(work: Option<&Work<'_>>) -> Result<File, VmError> {
    let fd = memfd_create(NAME, MemfdFlags::CLOEXEC).map_err(VmError::system("creating the channel"))?;
    let mut file = File::from(fd);
    let failed = VmError::system("writing the channel");
    fill(&mut file, work).map_err(failed)?;
    Ok(file)
}

fn fill(file: &mut File, work: Option<&Work<'_>>) -> std::io::Result<()> {
    file.set_len(CHANNEL_SIZE)?;
    let mut header = vec![0; HEADER.size as usize];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(word::MAGIC, &MAGIC.to_le_bytes());
    put(word::VERSION, &VERSION.to_le_bytes());
    if let Some(work) = work {
        file.seek(SeekFrom::Start(PAYLOAD.offset))?;
        work.payload.write_to(&mut *file)?;
        let payload_len = file.stream_position()? - PAYLOAD.offset;
        file.seek(SeekFrom::Start(ORDER.offset))?;
        file.write_all(work.order)?;
        put(word::RUN, &1u32.to_le_bytes());
        put(word::SEED, &work.seed.to_le_bytes());
        put(word::ORDER_LEN, &(work.order.len() as u64).to_le_bytes());
        put(word::PAYLOAD_LEN, &payload_len.to_le_bytes());
    }
    file.write_all_at(&header, 0)
}

/// Reads a running machine's channel out of its process's memory: a clone's mapping is private to QEMU.
pub struct ChannelReader {
    memory: File,
    base: u64,
}

impl ChannelReader {
    /// Finds the channel in the memory of our child `pid`.
    pub fn open(pid: u32) -> Result<Self, VmError> {
        Self::open_in(Path::new("/proc"), pid)
    }

    fn open_in(proc: &Path, pid: u32) -> Result<Self, VmError> {
        let unreadable = |source| VmError::MemoryUnreadable { source, advice: advice(proc) };
        let folder = proc.join(pid.to_string());
        let maps = std::fs::read_to_string(folder.join("maps")).map_err(unreadable)?;
        let base =
            mapping_of(&maps, NAME).ok_or_else(|| VmError::Qmp("QEMU has not mapped the channel".into()))?;
        let memory = File::open(folder.join("mem")).map_err(unreadable)?;
        Ok(Self { memory, base })
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), VmError> {
        self.memory
            .read_exact_at(buffer, self.base + offset)
            .map_err(|source| VmError::MemoryUnreadable { source, advice: advice(Path::new("/proc")) })
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

/// Where the file whose name contains `name` is mapped from its first byte.
fn mapping_of(maps: &str, name: &str) -> Option<u64> {
    let line = maps
        .lines()
        .find(|line| line.contains(name) && line.split_whitespace().nth(2) == Some("00000000"))?;
    u64::from_str_radix(line.split('-').next()?, 16).ok()
}

/// What to change when our own child's memory may not be read.
fn advice(proc: &Path) -> String {
    let scope = std::fs::read_to_string(proc.join("sys/kernel/yama/ptrace_scope")).unwrap_or_default();
    match scope.trim() {
        "2" | "3" => format!(
            "kernel.yama.ptrace_scope is {0}, which forbids it: run as root or with CAP_SYS_PTRACE{1}",
            scope.trim(),
            if scope.trim() == "2" {
                ", or `sysctl kernel.yama.ptrace_scope=1`"
            } else {
                " after a reboot with ptrace_scope 1"
            }
        ),
        _ => "it may have ended, or a security module forbids it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_channel_among_mappings() {
        let maps = "7f00-7f10 r--p 00000000 08:01 1 /usr/lib/libc.so\n\
                    7f3a40000000-7f3a50000000 rw-p 00000000 00:01 9 /memfd:ktstr-channel (deleted)\n";
        assert_eq!(mapping_of(maps, NAME), Some(0x7f3a_4000_0000));
        assert_eq!(mapping_of(maps, "ktstr-console"), None);
    }

    #[test]
    fn a_strict_yama_scope_is_named() {
        for (scope, word) in [("2\n", "sysctl"), ("3\n", "reboot")] {
            let proc = tempfile::tempdir().unwrap();
            std::fs::create_dir_all(proc.path().join("sys/kernel/yama")).unwrap();
            std::fs::write(proc.path().join("sys/kernel/yama/ptrace_scope"), scope).unwrap();
            let error = ChannelReader::open_in(proc.path(), 1).err().unwrap().to_string();
            assert!(error.contains("ptrace_scope") && error.contains(word), "{error}");
        }
    }
}
