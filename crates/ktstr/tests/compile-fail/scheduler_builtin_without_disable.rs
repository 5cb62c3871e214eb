use ktstr::declare_scheduler;

declare_scheduler!(MY_SCHED, {
    name = "my_sched",
    kernel_builtin_enable = ["echo 1 > /sys/x"],
});

fn main() {}
