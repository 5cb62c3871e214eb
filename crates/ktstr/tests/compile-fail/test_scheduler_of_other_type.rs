use ktstr::prelude::*;

const MY_SCHED: &str = "my_sched";

#[ktstr_test(scheduler = MY_SCHED, llcs = 2)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
