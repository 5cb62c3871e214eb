use ktstr::prelude::*;

#[ktstr_test]
#[test]
#[ktstr_test(llcs = 2)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
