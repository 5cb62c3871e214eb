use ktstr::prelude::*;

#[ktstr_test]
async fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
