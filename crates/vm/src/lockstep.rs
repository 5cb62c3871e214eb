//! What deterministic machines load so that they keep their word on a busy host; see `lockstep/lib.rs` for how.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::fd::AsRawFd as _;

use ktstr_model::Mode;

use crate::error::VmError;
use crate::machine::scratch;
use crate::machine_spec::{MachineSpec, Purpose};

/// The library's bytes.
pub(crate) const LOCKSTEP: &[u8] = include_bytes!(env!("KTSTR_LOCKSTEP"));

/// What the kernel shows it as.
const NAME: &str = "ktstr-lockstep";

/// The dynamic linker's variable for libraries that come before all others.
pub(crate) const VARIABLE: &str = "LD_PRELOAD";

/// The library as a file that a machine inherits, if it is of a kind that needs one.
pub(crate) fn library(spec: &MachineSpec) -> Result<Option<File>, VmError> {
    if spec.mode != Mode::Deterministic || spec.purpose != Purpose::Test {
        return Ok(None);
    }
    let mut file = scratch(NAME)?;
    file.write_all(LOCKSTEP).map_err(VmError::system("writing a memory file"))?;
    Ok(Some(file))
}

/// The variable's value, with what it has here.
pub(crate) fn preload(library: &File) -> OsString {
    let mut value = OsString::from(format!("/proc/self/fd/{}", library.as_raw_fd()));
    if let Some(others) = env::var_os(VARIABLE).filter(|others| !others.is_empty()) {
        value.push(":");
        value.push(others);
    }
    value
}

/// Whether the program has loaded it: one that is linked statically does not.
pub(crate) fn is_loaded(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/maps")).is_ok_and(|maps| maps.contains(NAME))
}
