//! A kernel's BTF: its types, in the form that BPF programs are compared with.
//!
//! Only what this crate asks of it is read here: function prototypes. The layout is that of the kernel's
//! `include/uapi/linux/btf.h`.

use std::{fs, path::Path};

use object::{Object, ObjectSection};

use crate::{
    Error,
    little_endian::{u16_at, u32_at},
};

const MAGIC: u16 = 0xeb9f;
const SECTION: &str = ".BTF";
/// Of each type; more follows, by kind.
const TYPE_BYTES: usize = 12;
const PARAMETER_BYTES: usize = 8;

const PTR: u8 = 2;
const TYPEDEF: u8 = 8;
const VOLATILE: u8 = 9;
const CONST: u8 = 10;
const RESTRICT: u8 = 11;
const FUNC: u8 = 12;
const FUNC_PROTO: u8 = 13;
const TYPE_TAG: u8 = 18;

/// The bytes that follow a type: a fixed number, and a number for each member.
fn extra_bytes(kind: u8, members: usize) -> Option<usize> {
    Some(match kind {
        // int, variable, declaration tag
        1 | 14 | 17 => 4,
        // array
        3 => 12,
        // struct, union, section, 64-bit enumeration
        4 | 5 | 15 | 19 => 12 * members,
        // enumeration
        6 => 8 * members,
        FUNC_PROTO => PARAMETER_BYTES * members,
        // a forward declaration and a floating point number
        PTR | 7..=FUNC | 16 | TYPE_TAG => 0,
        _ => return None,
    })
}

/// The type information of a kernel.
#[derive(Clone, Debug)]
pub struct Btf {
    bytes: Vec<u8>,
    /// Where each type begins; the first has the number 1.
    types: Vec<usize>,
    /// Where the names begin.
    names: usize,
}

/// A function in a [`Btf`].
#[derive(Clone, Copy, Debug)]
pub struct Function<'a> {
    /// Its name.
    pub name: &'a str,
    prototype: u32,
}

impl Btf {
    /// Reads the bytes of a `.BTF` section, or of `/sys/kernel/btf/vmlinux` in a running kernel.
    ///
    /// # Errors
    /// When they are not BTF, or of a kind that this version of ktstr does not know.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Error> {
        let refuse = |why: &str| Error::Btf { why: why.to_owned() };
        let truncated = || refuse("it is truncated");
        let field = |at| u32_at(&bytes, at).map(|value| value as usize).ok_or_else(truncated);
        if u16_at(&bytes, 0) != Some(MAGIC) {
            return Err(refuse("it does not begin as BTF does"));
        }
        let header = field(4)?;
        let section = |offset, length| -> Result<_, Error> {
            let start = header.checked_add(field(offset)?).ok_or_else(truncated)?;
            let end =
                start.checked_add(field(length)?).filter(|end| *end <= bytes.len()).ok_or_else(truncated)?;
            Ok((start, end))
        };
        let ((mut at, end), (names, _)) = (section(8, 12)?, section(16, 20)?);
        let mut types = Vec::new();
        while at < end {
            types.push(at);
            let info = field(at + 4)?;
            let (kind, members) = ((info >> 24 & 0x1f) as u8, info & 0xffff);
            let extra = extra_bytes(kind, members)
                .ok_or_else(|| refuse(&format!("type {} is of the unknown kind {kind}", types.len())))?;
            at += TYPE_BYTES + extra;
        }
        if at > end {
            return Err(truncated());
        }
        Ok(Self { bytes, types, names })
    }

    /// Reads the `.BTF` section of an ELF file, such as `vmlinux`.
    ///
    /// # Errors
    /// When it has none.
    pub fn of_elf(path: &Path) -> Result<Self, Error> {
        Self::of_elf_bytes(&fs::read(path).map_err(Error::io("read", path))?)
    }

    pub(crate) fn of_elf_bytes(elf: &[u8]) -> Result<Self, Error> {
        let file = object::File::parse(elf)
            .map_err(|error| Error::Btf { why: format!("it is no ELF file: {error}") })?;
        let section =
            file.section_by_name(SECTION).and_then(|section| section.data().ok().map(<[u8]>::to_vec));
        let bytes = section.ok_or_else(|| Error::Btf {
            why: "the kernel was built without it (CONFIG_DEBUG_INFO_BTF is off)".into(),
        })?;
        Self::parse(bytes)
    }

    /// As it was read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many types it has.
    pub fn type_count(&self) -> usize {
        self.types.len()
    }

    /// The name of a type; `None` when there is no such type, or it has none.
    pub fn type_name(&self, id: u32) -> Option<&str> {
        self.place(id).and_then(|at| self.name(at))
    }

    /// Every function, in the order of the types.
    pub fn functions(&self) -> impl Iterator<Item = Function<'_>> {
        self.types.iter().filter(|at| self.kind(**at) == FUNC).filter_map(|at| {
            Some(Function { name: self.name(*at)?, prototype: u32_at(&self.bytes, at + 8)? })
        })
    }

    /// For each parameter of a function, the name of what it points at: `None` for what is no pointer, and for a pointer
    /// at what has no name.
    pub fn pointees<'a>(
        &'a self,
        function: &Function<'_>,
    ) -> impl Iterator<Item = Option<&'a str>> + use<'a> {
        let prototype = self.place(function.prototype).filter(|at| self.kind(*at) == FUNC_PROTO);
        prototype.into_iter().flat_map(move |at| {
            (0..self.members(at)).map(move |nth| {
                let parameter = u32_at(&self.bytes, at + TYPE_BYTES + nth * PARAMETER_BYTES + 4)?;
                let pointer = self.unqualified(parameter).filter(|at| self.kind(*at) == PTR)?;
                self.name(self.unqualified(u32_at(&self.bytes, pointer + 8)?)?)
            })
        })
    }

    /// A type without its `const`s, tags and other names.
    fn unqualified(&self, mut id: u32) -> Option<usize> {
        // A chain that is longer than there are types is a loop.
        for _ in 0..=self.types.len() {
            let at = self.place(id)?;
            match self.kind(at) {
                TYPEDEF | VOLATILE | CONST | RESTRICT | TYPE_TAG => id = u32_at(&self.bytes, at + 8)?,
                _ => return Some(at),
            }
        }
        None
    }

    fn place(&self, id: u32) -> Option<usize> {
        // 0 is `void`, which has no place.
        self.types.get((id as usize).checked_sub(1)?).copied()
    }

    fn kind(&self, at: usize) -> u8 {
        (u32_at(&self.bytes, at + 4).unwrap_or(0) >> 24 & 0x1f) as u8
    }

    fn members(&self, at: usize) -> usize {
        (u32_at(&self.bytes, at + 4).unwrap_or(0) & 0xffff) as usize
    }

    fn name(&self, at: usize) -> Option<&str> {
        let start = self.names + u32_at(&self.bytes, at)? as usize;
        let rest = self.bytes.get(start..)?;
        let name = std::str::from_utf8(&rest[..rest.iter().position(|byte| *byte == 0)?]).ok()?;
        Some(name).filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
pub(crate) mod tests;
