use ktstr::prelude::*;

#[ktstr_test]
fn test(ctx: &mut Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
