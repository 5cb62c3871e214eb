use ktstr::prelude::*;

#[ktstr_test(isolation, max_p99_wake_latency_ns = 1000)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
