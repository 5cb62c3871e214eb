//! What the kernel says of the BPF programs that a scheduler loaded.
//!
//! They are the programs that are there once the scheduler is enabled and were not before it was started: nothing else in
//! a guest loads any meanwhile. The scheduler's descriptors would not tell as much, because a loader may close them, and
//! its struct_ops knows neither of its timers nor of its tracing programs.
//!
//! Plain system calls: a crate for them would be in every test binary, for four commands of one call.

mod kinds;
mod object_info;

use std::collections::BTreeSet;
use std::io;

use ktstr_kernel::Btf;
use ktstr_model::{BpfMap, BpfObjects, BpfProgram};

use self::object_info::{Map, Program};

/// The programs that were there at one time.
#[derive(Debug)]
pub(crate) struct Programs(BTreeSet<u32>);

impl Programs {
    /// All programs that there are.
    pub(crate) fn now() -> io::Result<Self> {
        object_info::program_ids().map(Self)
    }

    /// What has been loaded since.
    pub(crate) fn loaded_since(&self) -> io::Result<BpfObjects> {
        let ids = object_info::program_ids()?;
        let programs =
            ids.difference(&self.0).map(|id| Program::open(*id)).collect::<io::Result<Vec<_>>>()?;
        let map_ids: BTreeSet<u32> = programs.iter().flat_map(|program| &program.map_ids).copied().collect();
        let maps =
            map_ids.iter().map(|id| Ok((*id, map(&Map::open(*id)?)))).collect::<io::Result<Vec<_>>>()?;
        Ok(BpfObjects {
            programs: programs.iter().map(|one| program(one, &maps)).collect::<io::Result<_>>()?,
            maps: maps.into_iter().map(|(_, map)| map).collect(),
        })
    }
}

fn program(program: &Program, maps: &[(u32, BpfMap)]) -> io::Result<BpfProgram> {
    let info = &program.info;
    let used = maps.iter().filter(|(id, _)| program.map_ids.contains(id));
    Ok(BpfProgram {
        name: full_name(program)?,
        kind: kinds::of_program(info.kind),
        verified_insns: info.verified_insns,
        // An instruction has 8 bytes.
        insns: info.xlated_prog_len / 8,
        jited_bytes: info.jited_prog_len,
        verification_us: None,
        maps: used.map(|(_, map)| map.name.clone()).collect(),
    })
}

/// The name of the program's function. Programs without BTF have the short one alone.
fn full_name(program: &Program) -> io::Result<String> {
    let Some((btf, function)) = program.function()? else { return Ok(program.short_name()) };
    let btf = Btf::parse(btf).map_err(io::Error::other)?;
    Ok(btf.type_name(function).map_or_else(|| program.short_name(), str::to_owned))
}

fn map(map: &Map) -> BpfMap {
    BpfMap {
        name: map.name(),
        kind: kinds::of_map(map.info.kind),
        max_entries: map.info.max_entries,
        memory_bytes: map.memory_bytes,
    }
}
