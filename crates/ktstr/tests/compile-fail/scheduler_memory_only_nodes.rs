use ktstr::declare_scheduler;

declare_scheduler!(NONE, { name = "none", binary = "scx_my_sched", memory_only_nodes = 0 });
declare_scheduler!(MANY, { name = "many", binary = "scx_my_sched", memory_only_nodes = 64 });

fn main() {}
