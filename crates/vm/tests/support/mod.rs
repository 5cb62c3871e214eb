//! What tests of real machines share: the kernel to boot and where templates are kept.

// Each test binary uses its own part of this.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use ktstr_model::{Mode, Topology};
use ktstr_vm::{Deadline, MachineSpec, Payload, Purpose, Qemu, Template, VmError};
use ktstr_wire::layout::TEST_BINARY;

/// Far beyond what any of these machines needs.
pub const DEADLINE: Deadline = Deadline {
    cpu: Some(Duration::from_secs(60)),
    wall: Duration::from_secs(900),
    more_before_test: Duration::ZERO,
};

/// The kernel image that `cargo xtask test` fetched.
pub fn kernel() -> PathBuf {
    std::env::var_os("KTSTR_TEST_KERNEL")
        .expect("KTSTR_TEST_KERNEL names a kernel image; `cargo xtask test` sets it")
        .into()
}

/// The cache that templates are kept in from run to run.
pub fn cache() -> PathBuf {
    match std::env::var_os("KTSTR_CACHE_DIR") {
        Some(folder) => folder.into(),
        None => PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/ktstr"),
    }
}

/// A small deterministic machine.
pub fn spec(topology: &str) -> MachineSpec {
    let kernel = kernel();
    let kernel_sha256 = ktstr_kernel::Sha256Sum::of_file(&kernel).unwrap().to_string();
    let topology: Topology = topology.parse().unwrap();
    MachineSpec {
        kernel,
        kernel_sha256,
        kargs: Vec::new(),
        topology,
        memory_mb: 256,
        mode: Mode::Deterministic,
        purpose: Purpose::Test,
        disk_mb: 0,
    }
}

/// The template of a machine, with what was said while it was made.
pub fn template_in(cache: &Path, spec: &MachineSpec) -> (Result<Template, VmError>, Vec<String>) {
    let mut said = Vec::new();
    let qemu = Qemu::find().unwrap();
    let template = Template::get(cache, &qemu, spec, &mut |what: &str| said.push(what.to_owned()));
    (template, said)
}

/// A payload whose test binary is a program of the host.
pub fn program(path: &str) -> Payload {
    let mut payload = Payload::default();
    payload.add_program(Path::new(path), TEST_BINARY).unwrap();
    payload
}
