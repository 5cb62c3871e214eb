use ktstr::prelude::*;

#[ktstr_test]
fn test(ctx: &Ctx, seed: u64) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
