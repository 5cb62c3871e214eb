use ktstr::prelude::*;

#[ktstr_test(seed = -1)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
