use ktstr::declare_scheduler;

declare_scheduler!(MY_SCHED, {
    name = "my_sched",
    binary = "scx_my_sched",
    kargs = ["nosmt", "console=tty0", "init=/bin/sh", "panic=0", "root=/dev/vda"],
});

fn main() {}
