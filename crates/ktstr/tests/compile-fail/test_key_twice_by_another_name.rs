use ktstr::prelude::*;

#[ktstr_test(llcs = 2, sockets = 4)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
