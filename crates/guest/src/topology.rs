//! The CPUs that a test runs on, as the kernel shows them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ktstr_model::CpuSet;

use crate::error::{GuestError, on_file};

mod cpusets;
mod planned;

/// The machine's CPUs and how they are grouped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestTopology {
    cpus: CpuSet,
    llcs: Vec<Llc>,
    cores: Vec<CpuSet>,
    nodes: Vec<NumaNode>,
}

/// A last-level cache with the CPUs that share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Llc {
    /// Its CPUs on line.
    pub cpus: CpuSet,
    /// The SMT threads of each of its cores.
    pub cores: Vec<CpuSet>,
    /// Its size in KiB; `None` where the kernel knows of no caches.
    pub size_kb: Option<u64>,
    /// The number of the NUMA node that it belongs to; `None` where that has no CPU on line.
    pub node: Option<u32>,
}

/// A NUMA node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumaNode {
    /// Its number.
    pub id: u32,
    /// Its CPUs on line; none in a node of memory only.
    pub cpus: CpuSet,
    /// Its memory in KiB; `None` where the kernel does not say.
    pub memory_kb: Option<u64>,
    /// Its distance to each node, itself among them, in the order of [`TestTopology::nodes`]; 10 is local.
    pub distances: Vec<u32>,
}

impl NumaNode {
    /// Whether it has memory and no CPUs.
    pub fn is_memory_only(&self) -> bool {
        self.cpus.is_empty() && self.memory_kb.is_none_or(|memory| memory > 0)
    }
}

impl TestTopology {
    /// Reads the topology from a sysfs mounted at `sysfs`. CPUs that are off line are left out.
    ///
    /// # Errors
    /// When a file is missing that every kernel has, or holds what cannot be understood.
    pub fn from_sysfs(sysfs: &Path) -> Result<Self, GuestError> {
        let system = sysfs.join("devices/system");
        let cpus = cpu_list(&system.join("cpu/online"))?;
        let (mut caches, mut cores) = (BTreeSet::new(), BTreeSet::new());
        for cpu in cpus.iter() {
            let folder = system.join(format!("cpu/cpu{cpu}"));
            cores.insert(cpu_list(&folder.join("topology/thread_siblings_list"))?);
            caches.insert(last_level_cache(&folder)?);
        }
        let nodes = numa_nodes(&system.join("node"), &cpus)?;
        let node_of = |cpu| nodes.iter().find(|node| node.cpus.contains(cpu)).map(|node| node.id);
        let llc = |(cpus, size_kb): (CpuSet, Option<u64>)| Llc {
            cores: cores.iter().filter(|core: &&CpuSet| core.is_subset(&cpus)).cloned().collect(),
            node: cpus.first().and_then(node_of),
            size_kb,
            cpus,
        };
        let llcs = caches.into_iter().map(llc).collect();
        Ok(Self { cpus, llcs, cores: cores.into_iter().collect(), nodes })
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

    /// The last-level caches by their lowest CPU.
    pub fn llcs(&self) -> &[Llc] {
        &self.llcs
    }

    /// The SMT threads of each core, by their lowest CPU.
    pub fn cores(&self) -> &[CpuSet] {
        &self.cores
    }

    /// The NUMA nodes by number, with those that have memory only.
    pub fn nodes(&self) -> &[NumaNode] {
        &self.nodes
    }

    /// The NUMA nodes that have memory and no CPUs.
    pub fn memory_only_nodes(&self) -> impl Iterator<Item = &NumaNode> {
        self.nodes.iter().filter(|node| node.is_memory_only())
    }

    /// The last-level cache of `cpu`, as an index into [`llcs`](Self::llcs).
    pub fn llc_of(&self, cpu: u32) -> Option<usize> {
        self.llcs.iter().position(|llc| llc.cpus.contains(cpu))
    }

    /// The SMT threads of the core that `cpu` belongs to, itself among them.
    pub fn smt_siblings(&self, cpu: u32) -> Option<&CpuSet> {
        self.cores.iter().find(|core| core.contains(cpu))
    }

    /// Whether cores have more than one thread.
    pub fn has_smt(&self) -> bool {
        self.cores.iter().any(|core| core.len() > 1)
    }

    /// The number of the NUMA node that `cpu` belongs to.
    pub fn node_of(&self, cpu: u32) -> Option<u32> {
        self.nodes.iter().find(|node| node.cpus.contains(cpu)).map(|node| node.id)
    }

    /// The distance between two NUMA nodes by number; 10 within a node.
    pub fn distance(&self, from: u32, to: u32) -> Option<u32> {
        let place = self.nodes.iter().position(|node| node.id == to)?;
        self.nodes.iter().find(|node| node.id == from)?.distances.get(place).copied()
    }
}

/// The CPUs that share the highest cache level with the CPU in `folder`, and its size in KiB; where the kernel knows of
/// no caches, those of its package.
fn last_level_cache(folder: &Path) -> Result<(CpuSet, Option<u64>), GuestError> {
    let mut last: Option<(u32, std::path::PathBuf)> = None;
    for (_, index) in numbered(&folder.join("cache"), "index")? {
        let level = read(&index.join("level"))?;
        let level: u32 = level.parse().map_err(|_| GuestError::Content {
            path: index.join("level"),
            text: level,
            wanted: "a cache level",
        })?;
        let higher = last.as_ref().is_none_or(|(highest, _)| level > *highest);
        if higher && read(&index.join("type"))? != "Instruction" {
            last = Some((level, index));
        }
    }
    match last {
        Some((_, index)) => {
            let size = read(&index.join("size")).ok();
            let size_kb = size.and_then(|size| size.strip_suffix('K')?.parse().ok());
            Ok((cpu_list(&index.join("shared_cpu_list"))?, size_kb))
        }
        None => Ok((cpu_list(&folder.join("topology/package_cpus_list"))?, None)),
    }
}

/// A kernel without NUMA has no nodes in sysfs, and one in fact.
fn numa_nodes(folder: &Path, cpus: &CpuSet) -> Result<Vec<NumaNode>, GuestError> {
    let mut nodes = Vec::new();
    for (id, path) in numbered(folder, "node")? {
        let distances = read(&path.join("distance")).unwrap_or_default();
        nodes.push(NumaNode {
            id,
            cpus: cpu_list(&path.join("cpulist"))?,
            memory_kb: read(&path.join("meminfo")).ok().and_then(|meminfo| total_kb(&meminfo)),
            distances: distances.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect(),
        });
    }
    if nodes.is_empty() {
        nodes.push(NumaNode { id: 0, cpus: cpus.clone(), memory_kb: None, distances: vec![10] });
    }
    Ok(nodes)
}

/// From a line such as `Node 0 MemTotal:        1012836 kB`.
fn total_kb(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find(|line| line.contains("MemTotal:"))?;
    line.split_ascii_whitespace().nth(3)?.parse().ok()
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
