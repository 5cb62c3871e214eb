use ktstr::declare_scheduler;

declare_scheduler!(MY_SCHED, {
    name = "my_sched",
    binary = "scx_my_sched",
    sysctls = ["kernel.pid_max=4096", ("kernel.pid_max", "4096")],
});

fn main() {}
