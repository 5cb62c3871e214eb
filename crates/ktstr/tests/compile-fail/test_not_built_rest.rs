use ktstr::prelude::*;

#[ktstr_test(performance_mode)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
