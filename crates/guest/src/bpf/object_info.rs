//! The commands of bpf(2) that enumerate and describe what is loaded. The layouts are those of the kernel's
//! `include/uapi/linux/bpf.h`; the kernel fills in as much of a structure as it knows.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

const PROG_GET_NEXT_ID: libc::c_long = 11;
const PROG_GET_FD_BY_ID: libc::c_long = 13;
const MAP_GET_FD_BY_ID: libc::c_long = 14;
const OBJ_GET_INFO_BY_FD: libc::c_long = 15;
const BTF_GET_FD_BY_ID: libc::c_long = 19;

/// `struct bpf_prog_info`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ProgramInfo {
    pub kind: u32,
    id: u32,
    tag: [u8; 8],
    pub jited_prog_len: u32,
    pub xlated_prog_len: u32,
    jited_prog_insns: u64,
    xlated_prog_insns: u64,
    load_time: u64,
    created_by_uid: u32,
    nr_map_ids: u32,
    map_ids: u64,
    name: [u8; 16],
    ifindex: u32,
    gpl_compatible: u32,
    netns_dev: u64,
    netns_ino: u64,
    nr_jited_ksyms: u32,
    nr_jited_func_lens: u32,
    jited_ksyms: u64,
    jited_func_lens: u64,
    btf_id: u32,
    func_info_rec_size: u32,
    func_info: u64,
    nr_func_info: u32,
    nr_line_info: u32,
    line_info: u64,
    jited_line_info: u64,
    nr_jited_line_info: u32,
    line_info_rec_size: u32,
    jited_line_info_rec_size: u32,
    nr_prog_tags: u32,
    prog_tags: u64,
    run_time_ns: u64,
    run_cnt: u64,
    recursion_misses: u64,
    pub verified_insns: u32,
    attach_btf_obj_id: u32,
    attach_btf_id: u32,
    unused: u32,
}

/// The beginning of `struct bpf_map_info`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MapInfo {
    pub kind: u32,
    id: u32,
    key_size: u32,
    value_size: u32,
    pub max_entries: u32,
    map_flags: u32,
    name: [u8; 16],
}

/// The beginning of `struct bpf_btf_info`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct BtfInfo {
    btf: u64,
    btf_size: u32,
    id: u32,
}

/// The arguments of the commands that go by number.
#[repr(C)]
#[derive(Default)]
struct ById {
    id: u32,
    next_id: u32,
    open_flags: u32,
}

/// The arguments of `OBJ_GET_INFO_BY_FD`.
#[repr(C)]
struct InfoByFd {
    fd: u32,
    info_len: u32,
    info: u64,
}

/// A program that is loaded.
#[derive(Debug)]
pub(super) struct Program {
    fd: OwnedFd,
    pub info: ProgramInfo,
    pub map_ids: Vec<u32>,
}

impl Program {
    pub(super) fn open(id: u32) -> io::Result<Self> {
        let fd = open(PROG_GET_FD_BY_ID, id)?;
        let info: ProgramInfo = info_of(&fd, ProgramInfo::default())?;
        let mut map_ids = vec![0_u32; info.nr_map_ids as usize];
        let asked = ProgramInfo {
            nr_map_ids: info.nr_map_ids,
            map_ids: map_ids.as_mut_ptr() as u64,
            ..ProgramInfo::default()
        };
        info_of(&fd, asked)?;
        Ok(Self { fd, info, map_ids })
    }

    /// The name as far as the kernel keeps it.
    pub(super) fn short_name(&self) -> String {
        text(&self.info.name)
    }

    /// The program's BTF, and the number of the type that describes its function; `None` when it was loaded without.
    pub(super) fn function(&self) -> io::Result<Option<(Vec<u8>, u32)>> {
        let ProgramInfo { btf_id, nr_func_info, func_info_rec_size, .. } = self.info;
        if btf_id == 0 || nr_func_info == 0 {
            return Ok(None);
        }
        let mut records = vec![0_u8; (nr_func_info * func_info_rec_size) as usize];
        let func_info = records.as_mut_ptr() as u64;
        info_of(
            &self.fd,
            ProgramInfo { nr_func_info, func_info_rec_size, func_info, ..ProgramInfo::default() },
        )?;
        // The first record is that of the program's own function: the offset of its first instruction, and its type.
        let function = records.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
        let Some(function) = function else { return Ok(None) };
        Ok(Some((btf(btf_id)?, function)))
    }
}

/// A map that is loaded.
#[derive(Debug)]
pub(super) struct Map {
    pub info: MapInfo,
    /// Kernel memory that it takes.
    pub memory_bytes: u64,
}

impl Map {
    pub(super) fn open(id: u32) -> io::Result<Self> {
        let fd = open(MAP_GET_FD_BY_ID, id)?;
        let info = info_of(&fd, MapInfo::default())?;
        let said = fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd()))?;
        let memory = said.lines().find_map(|line| line.strip_prefix("memlock:")?.trim().parse().ok());
        Ok(Self { info, memory_bytes: memory.unwrap_or(0) })
    }

    pub(super) fn name(&self) -> String {
        text(&self.info.name)
    }
}

/// The numbers of all programs.
pub(super) fn program_ids() -> io::Result<BTreeSet<u32>> {
    let mut ids = BTreeSet::new();
    let mut arguments = ById::default();
    loop {
        match bpf(PROG_GET_NEXT_ID, &mut arguments) {
            Ok(_) => ids.insert(arguments.next_id),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(ids),
            Err(error) => return Err(error),
        };
        arguments.id = arguments.next_id;
    }
}

fn btf(id: u32) -> io::Result<Vec<u8>> {
    let fd = open(BTF_GET_FD_BY_ID, id)?;
    let BtfInfo { btf_size, .. } = info_of(&fd, BtfInfo::default())?;
    let mut bytes = vec![0_u8; btf_size as usize];
    info_of(&fd, BtfInfo { btf: bytes.as_mut_ptr() as u64, btf_size, id: 0 })?;
    Ok(bytes)
}

fn open(command: libc::c_long, id: u32) -> io::Result<OwnedFd> {
    let fd = bpf(command, &mut ById { id, ..ById::default() })?;
    // SAFETY: the kernel has just made the descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Asks for an object's information. `asked` has the addresses and lengths of the arrays that are wanted.
fn info_of<I: Copy>(fd: &OwnedFd, asked: I) -> io::Result<I> {
    let mut info = asked;
    let mut arguments =
        InfoByFd { fd: fd.as_raw_fd() as u32, info_len: size_of::<I>() as u32, info: (&raw mut info) as u64 };
    bpf(OBJ_GET_INFO_BY_FD, &mut arguments)?;
    Ok(info)
}

fn bpf<A>(command: libc::c_long, arguments: &mut A) -> io::Result<libc::c_long> {
    // SAFETY: `arguments` is what the command takes, with the addresses of memory as long as it says.
    let returned = unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut *arguments, size_of::<A>()) };
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(returned) }
}

fn text(name: &[u8; 16]) -> String {
    String::from_utf8_lossy(name.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    #[test]
    fn the_layouts_are_the_kernels() {
        assert_eq!(offset_of!(ProgramInfo, name), 64);
        assert_eq!(offset_of!(ProgramInfo, btf_id), 128);
        assert_eq!(offset_of!(ProgramInfo, nr_func_info), 144);
        assert_eq!(offset_of!(ProgramInfo, verified_insns), 216);
        assert_eq!(offset_of!(MapInfo, name), 24);
        assert_eq!(size_of::<InfoByFd>(), 16);
        assert_eq!(text(b"fixture_running\0"), "fixture_running");
    }
}
