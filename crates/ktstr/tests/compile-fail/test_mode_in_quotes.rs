use ktstr::prelude::*;

#[ktstr_test(mode = "deterministic")]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
