use ktstr::prelude::*;

#[ktstr_test(host_only = 1)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
