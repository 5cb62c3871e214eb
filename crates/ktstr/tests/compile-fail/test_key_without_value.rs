use ktstr::prelude::*;

#[ktstr_test(scheduler = , llcs = 2)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
