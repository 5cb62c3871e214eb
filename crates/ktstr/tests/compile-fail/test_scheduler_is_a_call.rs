use ktstr::prelude::*;

#[ktstr_test(scheduler = Scheduler::new("my_sched"))]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
