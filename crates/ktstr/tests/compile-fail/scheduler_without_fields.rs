use ktstr::declare_scheduler;

declare_scheduler!(MY_SCHED);

fn main() {}
