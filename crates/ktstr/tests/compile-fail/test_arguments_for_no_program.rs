use ktstr::prelude::*;

#[ktstr_test(extra_sched_args = ["--fifo"])]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
