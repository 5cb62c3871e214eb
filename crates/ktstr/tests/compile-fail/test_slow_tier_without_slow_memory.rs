use ktstr::declare_scheduler;
use ktstr::prelude::*;

declare_scheduler!(MY_SCHED, { name = "my_sched", binary = "scx_my_sched", topology = (1, 2, 1, 1) });
declare_scheduler!(SLOW, { name = "slow", binary = "scx_my_sched", memory_only_nodes = 1 });

#[ktstr_test(scheduler = MY_SCHED, max_slow_tier_ratio = 0.25)]
fn without(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

#[ktstr_test(scheduler = SLOW, max_slow_tier_ratio = 0.25)]
fn with(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
