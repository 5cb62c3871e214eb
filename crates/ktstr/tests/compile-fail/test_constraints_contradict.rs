use ktstr::declare_scheduler;
use ktstr::prelude::*;

declare_scheduler!(SMALL, {
    name = "small",
    binary = "scx_small",
    constraints = TopologyConstraints { max_cpus: Some(8), ..TopologyConstraints::DEFAULT },
});

#[ktstr_test(min_llcs = 4, max_llcs = 2)]
fn own(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

#[ktstr_test(scheduler = SMALL, min_cpus = 16)]
fn inherited(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

#[ktstr_test(max_cpus = 0, requires_smt = 2)]
fn no_numbers(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
