use ktstr::prelude::*;

#[ktstr_test]
#[should_panic(expected = "boom")]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
