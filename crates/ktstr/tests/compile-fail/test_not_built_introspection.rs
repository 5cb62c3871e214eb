use ktstr::prelude::*;

#[ktstr_test(watchdog_timeout_s = 5, auto_repro, fail_on_stall)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
