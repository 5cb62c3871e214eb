use ktstr::prelude::*;

#[ktstr_test(mode = fast)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
