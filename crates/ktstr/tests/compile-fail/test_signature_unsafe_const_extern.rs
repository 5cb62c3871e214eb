use ktstr::prelude::*;

#[ktstr_test]
const unsafe extern "C" fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
