//! What a test author says about a test.

use crate::{
    Assert, ConstraintsChoice, ModeChoice, Payload, Scheduler, Topology, TopologyConstraints, TopologyError,
};

/// The dimensions that a test names itself; the others come from its scheduler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TopologyChoice {
    /// NUMA nodes.
    pub numa_nodes: Option<u32>,
    /// Last-level caches in total.
    pub llcs: Option<u32>,
    /// Cores per LLC.
    pub cores: Option<u32>,
    /// Threads per core.
    pub threads: Option<u32>,
}

const fn or(choice: Option<u32>, inherited: u32) -> u32 {
    match choice {
        Some(n) => n,
        None => inherited,
    }
}

impl TopologyChoice {
    /// The machine that this choice and the scheduler's default make.
    ///
    /// # Errors
    /// As [`Topology::new`].
    pub fn resolve(&self, default: &Topology) -> Result<Topology, TopologyError> {
        let topology = Topology::new(
            or(self.numa_nodes, default.numa_nodes()),
            or(self.llcs, default.llcs()),
            or(self.cores, default.cores_per_llc()),
            or(self.threads, default.threads_per_core()),
        )?;
        Ok(topology.with_memory_only_nodes(default.memory_only_nodes()))
    }

    /// [`resolve`](Self::resolve) for constants: stops compilation where that returns an error.
    #[track_caller]
    pub const fn resolve_const(&self, default: &Topology) -> Topology {
        Topology::of(
            or(self.numa_nodes, default.numa_nodes()),
            or(self.llcs, default.llcs()),
            or(self.cores, default.cores_per_llc()),
            or(self.threads, default.threads_per_core()),
        )
        .with_memory_only_nodes(default.memory_only_nodes())
    }
}

/// A declared test: all that `#[ktstr_test]` knows, without the body.
#[derive(Clone, Copy, Debug)]
pub struct TestSpec {
    /// The function's name.
    pub name: &'static str,
    /// The module it is in, beginning with its crate (`module_path!()`).
    pub module: &'static str,
    /// The package's folder; relative paths of the declaration start here.
    pub manifest_dir: &'static str,
    /// The source file, relative to the workspace, and the line.
    pub location: (&'static str, u32),
    /// Whether it carries `#[ignore]`.
    pub ignored: bool,
    /// The scheduler under test.
    pub scheduler: &'static Scheduler,
    /// The machine's dimensions.
    pub topology: TopologyChoice,
    /// The presets that the gauntlet runs it on.
    pub constraints: ConstraintsChoice,
    /// Guest memory in MiB; raised to 64 a CPU and to 256.
    pub memory_mb: u32,
    /// Size of the guest's disk in MiB, for work that reads and writes files; 0 for none. Real-time mode only.
    pub disk_mb: u32,
    /// How long the workload runs, in seconds of the guest's clock.
    pub duration_s: u32,
    /// Arguments after the scheduler's own.
    pub extra_sched_args: &'static [&'static str],
    /// Files and folders of the host that the guest gets under `/include-files/`.
    pub extra_include_files: &'static [&'static str],
    /// The external program that the test is about.
    pub payload: Option<&'static Payload>,
    /// External programs that run beside it.
    pub workloads: &'static [&'static Payload],
    /// Configuration text for the scheduler's `config_file_def`.
    pub config: Option<&'static str>,
    /// Thresholds of this test.
    pub assert: Assert,
    /// How long it may take from the body's end until everything has stopped, in milliseconds of guest time.
    pub cleanup_budget_ms: Option<u32>,
    /// The test passes when its body fails or returns an error.
    pub expect_err: bool,
    /// The body runs on the host, without a machine.
    pub host_only: bool,
    /// What the clock follows.
    pub mode: ModeChoice,
    /// A seed of its own; otherwise the run's.
    pub seed: Option<u64>,
    /// What the scheduler loads is read once it is enabled, as the verifier sweep wants it.
    pub read_bpf: bool,
}

impl TestSpec {
    /// The name of the test that every test binary has: it starts the scheduler and does nothing. No function's name has a
    /// slash.
    pub const LOAD_ONLY: &str = "verifier/load";
    /// The name of the test whose body only keeps the scheduler in charge until it is asked to end, which every test
    /// process has. As above.
    pub const KEEP_SCHEDULER: &str = "shell/keep";

    /// A test with every key at its default.
    pub const fn new(name: &'static str, module: &'static str) -> Self {
        Self {
            name,
            module,
            manifest_dir: "",
            location: ("", 0),
            ignored: false,
            scheduler: &Scheduler::EEVDF,
            topology: TopologyChoice { numa_nodes: None, llcs: None, cores: None, threads: None },
            constraints: ConstraintsChoice::INHERITED,
            memory_mb: 2048,
            disk_mb: 0,
            duration_s: 12,
            extra_sched_args: &[],
            extra_include_files: &[],
            payload: None,
            workloads: &[],
            config: None,
            assert: Assert::NO_OVERRIDES,
            cleanup_budget_ms: None,
            expect_err: false,
            host_only: false,
            mode: ModeChoice::Auto,
            seed: None,
            read_bpf: false,
        }
    }

    /// The name that libtest and nextest use: the path within the crate.
    pub fn path(&self) -> String {
        match self.module.split_once("::") {
            Some((_, module)) => format!("{module}::{}", self.name),
            None => self.name.to_owned(),
        }
    }

    /// The external programs that the test runs, the one that it is about first.
    pub fn payloads(&self) -> impl Iterator<Item = &'static Payload> {
        self.payload.into_iter().chain(self.workloads.iter().copied())
    }

    /// The machine that the test runs on.
    ///
    /// # Errors
    /// When the dimensions that the test names do not fit those it inherits.
    pub fn resolved_topology(&self) -> Result<Topology, TopologyError> {
        self.topology.resolve(&self.scheduler.topology)
    }

    /// The same test on exactly this machine. Nodes of memory only stay those of its scheduler.
    #[must_use]
    pub fn on(self, topology: &Topology) -> Self {
        let topology = TopologyChoice {
            numa_nodes: Some(topology.numa_nodes()),
            llcs: Some(topology.llcs()),
            cores: Some(topology.cores_per_llc()),
            threads: Some(topology.threads_per_core()),
        };
        Self { topology, ..self }
    }

    /// The presets' constraints: its own, and its scheduler's where it has none.
    pub const fn resolved_constraints(&self) -> TopologyConstraints {
        self.constraints.resolve(&self.scheduler.constraints)
    }

    /// Guest memory in MiB for `topology`: at least 256, at least 64 a CPU, at least what the test asks for.
    pub fn guest_memory_mb(&self, topology: &Topology) -> u32 {
        self.memory_mb.max(256).max(topology.cpus() * 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dimension_is_inherited_on_its_own() {
        static SCHEDULER: Scheduler = Scheduler::new("s").topology(1, 2, 4, 1);
        let spec = TestSpec {
            scheduler: &SCHEDULER,
            topology: TopologyChoice { threads: Some(2), ..TopologyChoice::default() },
            ..TestSpec::new("t", "crate_name::inner")
        };
        let topology = spec.resolved_topology().unwrap();
        assert_eq!(topology.to_string(), "1n2l4c2t");
        assert_eq!(spec.path(), "inner::t");
        assert_eq!(TestSpec::new("t", "crate_name").path(), "t");
        assert_eq!(spec.guest_memory_mb(&Topology::of(1, 8, 8, 1)), 4096);
    }

    #[test]
    fn inherited_dimensions_must_fit() {
        static SCHEDULER: Scheduler = Scheduler::new("s").topology(2, 4, 1, 1);
        let topology = TopologyChoice { llcs: Some(3), ..TopologyChoice::default() };
        assert!(topology.resolve(&SCHEDULER.topology).is_err());
    }
}
