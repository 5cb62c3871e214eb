//! What `declare_scheduler!` makes of its fields.

use ktstr::test_support::{ConfigFileDef, Topology};
use ktstr::{KTSTR_SCHEDULERS, declare_scheduler, prelude::*};

declare_scheduler!(MINIMAL, { name = "minimal", binary = "scx_minimal" });

mod declared {
    use super::*;

    const COMMON: &str = "--verbose";

    declare_scheduler!(
        /// Every field that goes with a program.
        pub(crate) COMPLETE,
        {
            name = "complete",
            binary = SchedulerSpec::Path("target/scx_complete"),
            sched_args = ["--exit-dump-len", "1048576", COMMON],
            kernels = ["6.14", "6.15..=7.0"],
            topology = (2, 4, 3, 2),
            memory_only_nodes = 1,
            constraints = TopologyConstraints { max_numa_nodes: None, ..TopologyConstraints::DEFAULT },
            kargs = ["nosmt"],
            sysctls = [
                Sysctl::new("kernel.sched_rt_runtime_us", "-1"),
                Sysctl::new("kernel.pid_max", "4096"),
            ],
            cgroup_parent = "/ktstr",
            config_file = "complete.conf",
            config_file_def = ("--config {file}", "/run/complete.conf"),
            assert = Assert::NO_OVERRIDES.max_gap_ms(500),
        },
    );
}

declare_scheduler!(pub(crate) SLOW_MEMORY, {
    name = "slow_memory",
    binary = SchedulerSpec::Eevdf,
    memory_only_nodes = 2,
});

declare_scheduler!(pub BUILTIN, {
    name = "builtin",
    kernel_builtin_enable = ["echo 1 > /sys/kernel/debug/sched/other"],
    kernel_builtin_disable = ["echo 0 > /sys/kernel/debug/sched/other"],
});

#[test]
fn each_is_registered_once() {
    let mut names: Vec<_> = KTSTR_SCHEDULERS.iter().map(|scheduler| scheduler.name).collect();
    names.sort();
    assert_eq!(names, ["builtin", "complete", "minimal", "slow_memory"]);
    assert!(KTSTR_SCHEDULERS.iter().any(|scheduler| std::ptr::eq(*scheduler, &MINIMAL)));
}

#[test]
fn absent_fields_have_the_builder_s_defaults() {
    let built = Scheduler::new("minimal").binary(SchedulerSpec::Discover("scx_minimal"));
    assert_eq!(MINIMAL, built);
}

#[test]
fn slow_memory_needs_no_topology_to_be_written() {
    assert_eq!(SLOW_MEMORY, Scheduler::new("slow_memory").memory_only_nodes(2));
}

#[test]
fn every_field_arrives() {
    const SYSCTLS: [Sysctl; 2] =
        [Sysctl::new("kernel.sched_rt_runtime_us", "-1"), Sysctl::new("kernel.pid_max", "4096")];
    let expected = Scheduler {
        name: "complete",
        binary: SchedulerSpec::Path("target/scx_complete"),
        sched_args: &["--exit-dump-len", "1048576", "--verbose"],
        kernels: &["6.14", "6.15..=7.0"],
        topology: Topology::of(2, 4, 3, 2).with_memory_only_nodes(1),
        constraints: TopologyConstraints { max_numa_nodes: None, ..TopologyConstraints::DEFAULT },
        kargs: &["nosmt"],
        sysctls: &SYSCTLS,
        cgroup_parent: Some("/ktstr"),
        config_file: Some("complete.conf"),
        config_file_def: Some(ConfigFileDef { arg: "--config {file}", guest_path: "/run/complete.conf" }),
        assert: Assert::NO_OVERRIDES.max_gap_ms(500),
    };
    assert_eq!(declared::COMPLETE, expected);
}

#[test]
fn a_part_of_the_kernel_is_switched_by_lines() {
    let SchedulerSpec::KernelBuiltin { enable, disable } = BUILTIN.binary else {
        panic!("{:?}", BUILTIN.binary)
    };
    assert_eq!(enable, ["echo 1 > /sys/kernel/debug/sched/other"]);
    assert_eq!(disable, ["echo 0 > /sys/kernel/debug/sched/other"]);
}
