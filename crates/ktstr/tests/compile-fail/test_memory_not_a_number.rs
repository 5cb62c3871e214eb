use ktstr::prelude::*;

#[ktstr_test(memory_mb = "2G")]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
