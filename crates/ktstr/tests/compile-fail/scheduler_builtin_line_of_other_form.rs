use ktstr::declare_scheduler;

declare_scheduler!(MY_SCHED, {
    name = "my_sched",
    kernel_builtin_enable = ["sysctl x=1"],
    kernel_builtin_disable = [],
});

fn main() {}
