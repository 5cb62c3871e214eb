//! What a test author says about a scheduler.

use crate::{Assert, Topology, TopologyConstraints};

/// Where a scheduler comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchedulerSpec {
    /// The kernel's own scheduler; nothing is started.
    Eevdf,
    /// A program found by name: `KTSTR_SCHEDULER` (a path), beside the test binary, `target/{debug,release}`, `PATH`.
    Discover(&'static str),
    /// A program at this path on the host.
    Path(&'static str),
    /// A scheduler inside the kernel, switched by lines of the form `echo VALUE > FILE`.
    KernelBuiltin {
        /// Lines that switch it on.
        enable: &'static [&'static str],
        /// Lines that switch it off.
        disable: &'static [&'static str],
    },
}

/// A kernel parameter to set before the scheduler starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sysctl {
    /// The dotted name, such as `kernel.sched_cfs_bandwidth_slice_us`.
    pub key: &'static str,
    /// The value as text.
    pub value: &'static str,
}

impl Sysctl {
    /// A kernel parameter by its dotted name.
    pub const fn new(key: &'static str, value: &'static str) -> Self {
        Self { key, value }
    }
}

/// How a scheduler takes a configuration that a test gives it inline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigFileDef {
    /// The argument, in which `{file}` stands for the file's path in the guest; split at blanks.
    pub arg: &'static str,
    /// Where the file is written in the guest.
    pub guest_path: &'static str,
}

/// A scheduler under test, as `declare_scheduler!` or the const builder makes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scheduler {
    /// A name for results; not necessarily the sched_ext ops' name.
    pub name: &'static str,
    /// Where it comes from.
    pub binary: SchedulerSpec,
    /// Arguments of every start.
    pub sched_args: &'static [&'static str],
    /// Kernels that the verifier sweep runs it on; empty accepts all. `test` is not filtered by it.
    pub kernels: &'static [&'static str],
    /// The topology of tests that name none.
    pub topology: Topology,
    /// The presets that the gauntlet runs its tests on, as far as a test says nothing else.
    pub constraints: TopologyConstraints,
    /// Extra kernel arguments of its guests.
    pub kargs: &'static [&'static str],
    /// Kernel parameters set before it starts, in this order.
    pub sysctls: &'static [Sysctl],
    /// The cgroup that holds all cgroups of its tests, passed as `--cell-parent-cgroup`.
    pub cgroup_parent: Option<&'static str>,
    /// A configuration file on the host, passed as `--config`; relative to the test's package.
    pub config_file: Option<&'static str>,
    /// How it takes a test's inline `config`.
    pub config_file_def: Option<ConfigFileDef>,
    /// Thresholds for all its tests.
    pub assert: Assert,
}

impl Scheduler {
    /// The kernel's own scheduler.
    pub const EEVDF: Self = Self::new("eevdf");

    /// A scheduler by name, to be completed by the methods below. Without [`binary`](Self::binary) it is the kernel's.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            binary: SchedulerSpec::Eevdf,
            sched_args: &[],
            kernels: &[],
            topology: Topology::of(1, 1, 2, 1),
            constraints: TopologyConstraints::DEFAULT,
            kargs: &[],
            sysctls: &[],
            cgroup_parent: None,
            config_file: None,
            config_file_def: None,
            assert: Assert::NO_OVERRIDES,
        }
    }

    /// Where it comes from.
    #[must_use]
    pub const fn binary(mut self, binary: SchedulerSpec) -> Self {
        self.binary = binary;
        self
    }

    /// Arguments of every start.
    #[must_use]
    pub const fn sched_args(mut self, args: &'static [&'static str]) -> Self {
        self.sched_args = args;
        self
    }

    /// Kernels that the verifier sweep runs it on.
    #[must_use]
    pub const fn kernels(mut self, kernels: &'static [&'static str]) -> Self {
        self.kernels = kernels;
        self
    }

    /// The topology of tests that name none: NUMA nodes, LLCs in total, cores per LLC, threads per core.
    ///
    /// # Panics
    /// In a constant: stops compilation when this is no topology (see [`Topology::of`]).
    #[must_use]
    pub const fn topology(mut self, numa_nodes: u32, llcs: u32, cores: u32, threads: u32) -> Self {
        self.topology = Topology::of(numa_nodes, llcs, cores, threads);
        self
    }

    /// The presets that the gauntlet runs its tests on.
    #[must_use]
    pub const fn constraints(mut self, constraints: TopologyConstraints) -> Self {
        self.constraints = constraints;
        self
    }

    /// NUMA nodes with memory and no CPUs that its machines have besides, as slower memory has.
    ///
    /// # Panics
    /// In a constant: stops compilation when that makes more than 64 nodes.
    #[must_use]
    pub const fn memory_only_nodes(mut self, count: u32) -> Self {
        self.topology = self.topology.with_memory_only_nodes(count);
        self
    }

    /// Extra kernel arguments of its guests.
    #[must_use]
    pub const fn kargs(mut self, kargs: &'static [&'static str]) -> Self {
        self.kargs = kargs;
        self
    }

    /// Kernel parameters set before it starts.
    #[must_use]
    pub const fn sysctls(mut self, sysctls: &'static [Sysctl]) -> Self {
        self.sysctls = sysctls;
        self
    }

    /// The cgroup that holds all cgroups of its tests.
    #[must_use]
    pub const fn cgroup_parent(mut self, path: &'static str) -> Self {
        self.cgroup_parent = Some(path);
        self
    }

    /// A configuration file on the host.
    #[must_use]
    pub const fn config_file(mut self, path: &'static str) -> Self {
        self.config_file = Some(path);
        self
    }

    /// How it takes a test's inline `config`: the argument with `{file}` in it, and the file's path in the guest.
    #[must_use]
    pub const fn config_file_def(mut self, arg: &'static str, guest_path: &'static str) -> Self {
        self.config_file_def = Some(ConfigFileDef { arg, guest_path });
        self
    }

    /// Thresholds for all its tests.
    #[must_use]
    pub const fn assert(mut self, assert: Assert) -> Self {
        self.assert = assert;
        self
    }

    /// Whether a BPF scheduler is loaded from user space.
    pub const fn is_bpf(&self) -> bool {
        matches!(self.binary, SchedulerSpec::Discover(_) | SchedulerSpec::Path(_))
    }
}
