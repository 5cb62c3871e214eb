use ktstr::prelude::*;

#[ktstr_test(min_llcs = 2, requires_smt)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
