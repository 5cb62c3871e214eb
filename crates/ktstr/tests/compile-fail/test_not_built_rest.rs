use ktstr::prelude::*;

#[ktstr_test(performance_mode, cleanup_budget_ms = 5, post_vm = look)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
