use ktstr::prelude::*;

#[ktstr_test]
fn test(ctx: Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
