//! The CPUs that a test runs on, as the kernel shows them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ktstr_model::CpuSet;

use crate::error::{GuestError, on_file};

/// The machine's CPUs and how they are grouped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestTopology {
    cpus: CpuSet,
    llcs: Vec<CpuSet>,
    cores: Vec<CpuSet>,
    nodes: Vec<NumaNode>,
}

/// A NUMA node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumaNode {
    /// Its number.
    pub id: u32,
    /// Its CPUs on line; none in a node of memory only.
    pub cpus: CpuSet,
}

impl TestTopology {
    /// Reads the topology from a sysfs mounted at `sysfs`. CPUs that are off line are left out.
    ///
    /// # Errors
    /// When a file is missing that every kernel has, or holds what cannot be understood.
    pub fn from_sysfs(sysfs: &Path) -> Result<Self, GuestError> {
        let system = sysfs.join("devices/system");
        let cpus = cpu_list(&system.join("cpu/online"))?;
        let (mut llcs, mut cores) = (BTreeSet::new(), BTreeSet::new());
        for cpu in cpus.iter() {
            let folder = system.join(format!("cpu/cpu{cpu}"));
            cores.insert(cpu_list(&folder.join("topology/thread_siblings_list"))?);
            llcs.insert(last_level_cache(&folder)?);
        }
        let nodes = numa_nodes(&system.join("node"), &cpus)?;
        Ok(Self { cpus, llcs: llcs.into_iter().collect(), cores: cores.into_iter().collect(), nodes })
    }

    /// All CPUs on line.
    pub fn cpus(&self) -> &CpuSet {
        &self.cpus
    }

    /// The CPUs that a test's cgroups may be confined to: all but the last, which is kept for the root cgroup, where
    /// there are more than two.
    pub fn usable_cpus(&self) -> CpuSet {
        let usable = if self.cpus.len() > 2 { self.cpus.len() - 1 } else { self.cpus.len() };
        self.cpus.iter().take(usable).collect()
    }

    /// The CPUs of each last-level cache, by their lowest CPU.
    pub fn llcs(&self) -> &[CpuSet] {
        &self.llcs
    }

    /// The SMT threads of each core, by their lowest CPU.
    pub fn cores(&self) -> &[CpuSet] {
        &self.cores
    }

    /// The NUMA nodes by number.
    pub fn nodes(&self) -> &[NumaNode] {
        &self.nodes
    }

    /// The last-level cache of `cpu`, as an index into [`llcs`](Self::llcs).
    pub fn llc_of(&self, cpu: u32) -> Option<usize> {
        self.llcs.iter().position(|llc| llc.contains(cpu))
    }

    /// The SMT threads of the core that `cpu` belongs to, itself among them.
    pub fn smt_siblings(&self, cpu: u32) -> Option<&CpuSet> {
        self.cores.iter().find(|core| core.contains(cpu))
    }

    /// The number of the NUMA node that `cpu` belongs to.
    pub fn node_of(&self, cpu: u32) -> Option<u32> {
        self.nodes.iter().find(|node| node.cpus.contains(cpu)).map(|node| node.id)
    }
}

/// The CPUs that share the highest cache level with the CPU in `folder`; where the kernel knows of no caches, those of
/// its package.
fn last_level_cache(folder: &Path) -> Result<CpuSet, GuestError> {
    let mut last: Option<(u32, CpuSet)> = None;
    for (_, index) in numbered(&folder.join("cache"), "index")? {
        let level = read(&index.join("level"))?;
        let level: u32 = level.parse().map_err(|_| GuestError::Content {
            path: index.join("level"),
            text: level,
            wanted: "a cache level",
        })?;
        let higher = last.as_ref().is_none_or(|(highest, _)| level > *highest);
        if higher && read(&index.join("type"))? != "Instruction" {
            last = Some((level, cpu_list(&index.join("shared_cpu_list"))?));
        }
    }
    match last {
        Some((_, cpus)) => Ok(cpus),
        None => cpu_list(&folder.join("topology/package_cpus_list")),
    }
}

/// A kernel without NUMA has no nodes in sysfs, and one in fact.
fn numa_nodes(folder: &Path, cpus: &CpuSet) -> Result<Vec<NumaNode>, GuestError> {
    let mut nodes = Vec::new();
    for (id, path) in numbered(folder, "node")? {
        nodes.push(NumaNode { id, cpus: cpu_list(&path.join("cpulist"))? });
    }
    if nodes.is_empty() {
        nodes.push(NumaNode { id: 0, cpus: cpus.clone() });
    }
    Ok(nodes)
}

/// The entries `prefix`0, `prefix`1, ... of a folder by number; none when there is no such folder.
fn numbered(folder: &Path, prefix: &str) -> Result<Vec<(u32, std::path::PathBuf)>, GuestError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(on_file("list", folder)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(on_file("list", folder))?;
        let name = entry.file_name();
        if let Some(number) = name.to_str().and_then(|name| name.strip_prefix(prefix)?.parse().ok()) {
            found.push((number, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<String, GuestError> {
    Ok(fs::read_to_string(path).map_err(on_file("read", path))?.trim().to_owned())
}

fn cpu_list(path: &Path) -> Result<CpuSet, GuestError> {
    let text = read(path)?;
    text.parse().map_err(|_| GuestError::Content { path: path.into(), text, wanted: "a list of CPUs" })
}

#[cfg(test)]
mod tests;
