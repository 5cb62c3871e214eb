use ktstr::declare_scheduler;

declare_scheduler!(MY_SCHED, {
    name = "my_sched",
    binary = "scx_my_sched",
    kernels = ["", "latest", "6.14..x", "git+https://example.org/linux.git", 6.14],
});

fn main() {}
