use ktstr::declare_scheduler;
use ktstr::prelude::*;

declare_scheduler!(MY_SCHED, {
    name = "my_sched",
    binary = "scx_my_sched",
    constraints = TopologyConstraints { min_numa_nodes: 2, ..TopologyConstraints::DEFAULT },
});

declare_scheduler!(OTHER, { name = "other", binary = "scx_other", constraints });

fn main() {}
