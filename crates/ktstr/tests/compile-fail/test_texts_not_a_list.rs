use ktstr::prelude::*;

#[ktstr_test(extra_sched_args = "--fifo", extra_include_files = [1, ""])]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
