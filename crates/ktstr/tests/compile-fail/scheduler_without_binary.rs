use ktstr::declare_scheduler;

declare_scheduler!(MY_SCHED, {
    name = "my_sched",
});

fn main() {}
