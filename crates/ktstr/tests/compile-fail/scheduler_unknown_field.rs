use ktstr::declare_scheduler;

declare_scheduler!(MY_SCHED, {
    name = "my_sched",
    binnary = "scx_my_sched",
    sched_arg = ["-v"],
});

fn main() {}
