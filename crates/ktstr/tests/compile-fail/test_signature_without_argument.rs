use ktstr::prelude::*;

#[ktstr_test]
fn test() -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
