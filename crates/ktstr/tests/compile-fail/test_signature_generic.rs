use ktstr::prelude::*;

#[ktstr_test]
fn test<T>(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
