use ktstr::prelude::*;

static MY_SCHED: Scheduler = Scheduler::new("my_sched").topology(2, 4, 1, 1);

#[ktstr_test(scheduler = MY_SCHED, llcs = 3)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
