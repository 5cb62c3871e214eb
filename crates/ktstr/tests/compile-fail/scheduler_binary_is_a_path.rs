use ktstr::declare_scheduler;

declare_scheduler!(MY_SCHED, {
    name = "my_sched",
    binary = "target/debug/scx_my_sched",
});

fn main() {}
