use ktstr::prelude::*;

#[ktstr_test(llcs)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
