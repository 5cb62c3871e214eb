use ktstr::prelude::*;

#[ktstr_test(duration_s = 0)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
