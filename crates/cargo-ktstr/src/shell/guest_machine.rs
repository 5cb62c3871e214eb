//! The machine of a shell.

use anyhow::{Result, bail, ensure};
use ktstr_kernel::Kernel;
use ktstr_model::{Mode, Topology};
use ktstr_vm::{MachineSpec, Purpose, host_memory_mb};

use super::Args;
use super::declared::Declared;

/// The least memory that kernel and shell can do with, and what each CPU takes of it, in MiB.
const LEAST_MEMORY_MB: u32 = 256;
const MEMORY_PER_CPU_MB: u32 = 64;
/// What a shell has where nothing is said.
const MEMORY_MB: u32 = 2048;
const TOPOLOGY: Topology = Topology::of(1, 1, 2, 1);

/// The machine that the declaration says, else one of the usual kind; with what the command line says in its place.
pub fn of(args: &Args, kernel: &Kernel, mode: Mode, declared: Option<&Declared>) -> Result<MachineSpec> {
    let machine =
        declared.map_or_else(|| usual(args.topology.unwrap_or(TOPOLOGY), kernel, mode), as_declared);
    let memory_mb = memory_mb(args.memory_mb, machine.memory_mb, &machine.topology)?;
    if let Some(has_mb) = host_memory_mb().filter(|has_mb| u64::from(memory_mb) > *has_mb) {
        bail!("a guest of {} with {memory_mb} MiB: this host has {has_mb} MiB", machine.topology);
    }
    Ok(MachineSpec { memory_mb, ..machine })
}

fn as_declared(declared: &Declared) -> MachineSpec {
    MachineSpec { purpose: Purpose::Shell, ..declared.machine().clone() }
}

fn usual(topology: Topology, kernel: &Kernel, mode: Mode) -> MachineSpec {
    MachineSpec {
        kernel: kernel.image.clone(),
        kernel_sha256: kernel.image_sha256.to_string(),
        kargs: Vec::new(),
        topology,
        memory_mb: MEMORY_MB,
        mode,
        purpose: Purpose::Shell,
        disk_mb: 0,
    }
}

fn memory_mb(asked_for: Option<u32>, usual: u32, topology: &Topology) -> Result<u32> {
    let least = LEAST_MEMORY_MB.max(topology.cpus().saturating_mul(MEMORY_PER_CPU_MB));
    let Some(memory_mb) = asked_for else { return Ok(least.max(usual)) };
    ensure!(memory_mb >= least, "--memory-mb {memory_mb}: a guest of {topology} needs {least} or more");
    Ok(memory_mb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_too_little_is_refused_with_what_is_enough() {
        let topology = Topology::of(1, 4, 4, 1);
        assert_eq!(memory_mb(None, 2048, &topology).unwrap(), 2048);
        assert_eq!(memory_mb(None, 2048, &Topology::of(1, 8, 8, 1)).unwrap(), 4096);
        assert_eq!(memory_mb(Some(1024), 2048, &topology).unwrap(), 1024);
        let error = memory_mb(Some(512), 2048, &topology).unwrap_err().to_string();
        assert_eq!(error, "--memory-mb 512: a guest of 1n4l4c1t needs 1024 or more");
    }
}
