use ktstr::prelude::*;

#[ktstr_test(config = 5)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
