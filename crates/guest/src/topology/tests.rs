use std::path::PathBuf;

use super::*;

struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, path: &str, text: &str) -> &Self {
        let path: PathBuf = self.0.path().join("devices/system").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
        self
    }

    fn cache(&self, cpu: u32, index: u32, level: u32, kind: &str, shared: &str) -> &Self {
        let folder = format!("cpu/cpu{cpu}/cache/index{index}");
        self.put(&format!("{folder}/level"), &level.to_string());
        self.put(&format!("{folder}/type"), kind).put(&format!("{folder}/size"), "16384K");
        self.put(&format!("{folder}/shared_cpu_list"), shared)
    }

    fn read(&self) -> Result<TestTopology, GuestError> {
        TestTopology::from_sysfs(self.0.path())
    }
}

fn set(text: &str) -> CpuSet {
    text.parse().unwrap()
}

/// Two nodes with an LLC each, cores of two threads; a third node has memory only.
fn smt_and_numa() -> Tree {
    let tree = Tree::new();
    tree.put("cpu/online", "0-7").put("node/node0/cpulist", "0-3").put("node/node1/cpulist", "4-7");
    tree.put("node/node2/cpulist", "").put("node/has_cpu", "0-1");
    tree.put("node/node1/meminfo", "Node 1 MemTotal:        498000 kB\nNode 1 MemFree: 3 kB");
    tree.put("node/node1/distance", "20 10 30");
    for cpu in 0..8 {
        let (core, llc) = (cpu / 2 * 2, cpu / 4 * 4);
        let (core, llc) = (format!("{core}-{}", core + 1), format!("{llc}-{}", llc + 3));
        tree.put(&format!("cpu/cpu{cpu}/topology/thread_siblings_list"), &core);
        // Index 3 is listed first to show that the level counts, not the order.
        tree.cache(cpu, 3, 1, "Instruction", &core).cache(cpu, 1, 1, "Data", &core);
        tree.cache(cpu, 0, 3, "Unified", &llc).cache(cpu, 2, 2, "Unified", &core);
        tree.put(&format!("cpu/cpu{cpu}/cache/uevent"), "");
    }
    tree
}

#[test]
fn groups_cpus_by_cache_core_and_node() {
    let topology = smt_and_numa().read().unwrap();
    assert_eq!(topology.cpus(), &set("0-7"));
    assert_eq!(topology.usable_cpus(), set("0-6"));
    let llc = |cpus, cores: [&str; 2], node| Llc {
        cpus: set(cpus),
        cores: cores.map(set).into(),
        size_kb: Some(16384),
        node: Some(node),
    };
    assert_eq!(topology.llcs(), [llc("0-3", ["0-1", "2-3"], 0), llc("4-7", ["4-5", "6-7"], 1)]);
    assert_eq!(topology.cores(), ["0-1", "2-3", "4-5", "6-7"].map(set));
    assert_eq!(topology.nodes().iter().map(|node| node.id).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(topology.nodes()[2].cpus.is_empty() && topology.has_smt());
    assert_eq!(topology.memory_only_nodes().map(|node| node.id).collect::<Vec<_>>(), [2]);
    assert_eq!(topology.nodes()[1].memory_kb, Some(498_000));
    assert_eq!((topology.distance(1, 1), topology.distance(1, 2)), (Some(10), Some(30)));
    assert_eq!((topology.distance(1, 3), topology.distance(3, 1)), (None, None));
    assert_eq!((topology.llc_of(5), topology.node_of(5)), (Some(1), Some(1)));
    assert_eq!(topology.smt_siblings(5), Some(&set("4-5")));
    assert_eq!((topology.llc_of(8), topology.node_of(8), topology.smt_siblings(8)), (None, None, None));
}

#[test]
fn without_caches_and_nodes_the_package_counts() {
    let tree = Tree::new();
    tree.put("cpu/online", "0-1");
    for cpu in 0..2 {
        tree.put(&format!("cpu/cpu{cpu}/topology/thread_siblings_list"), &cpu.to_string());
        tree.put(&format!("cpu/cpu{cpu}/topology/package_cpus_list"), "0-1");
    }
    let topology = tree.read().unwrap();
    assert_eq!(topology.llcs().len(), 1);
    assert_eq!((&topology.llcs()[0].cpus, topology.llcs()[0].size_kb), (&set("0-1"), None));
    let node = NumaNode { id: 0, cpus: set("0-1"), memory_kb: None, distances: vec![10] };
    assert_eq!(topology.nodes(), [node]);
    assert_eq!(topology.usable_cpus(), set("0-1"), "two CPUs are both usable");
}

#[test]
fn says_which_file_is_wrong() {
    let tree = smt_and_numa();
    tree.put("cpu/cpu3/topology/thread_siblings_list", "2-x");
    let error = tree.read().unwrap_err().to_string();
    assert!(
        error.ends_with("cpu3/topology/thread_siblings_list holds `2-x`, which is not a list of CPUs"),
        "{error}"
    );
    tree.put("cpu/online", "0-8");
    tree.put("cpu/cpu3/topology/thread_siblings_list", "2-3");
    assert!(tree.read().unwrap_err().to_string().contains("cpu8/topology"));
}

#[test]
fn reads_the_machine_that_this_runs_on() {
    let topology = TestTopology::from_sysfs(Path::new("/sys")).unwrap();
    assert!(!topology.cpus().is_empty());
    for cpu in topology.cpus().iter() {
        assert!(topology.llc_of(cpu).is_some() && topology.smt_siblings(cpu).is_some(), "{cpu}");
    }
}
