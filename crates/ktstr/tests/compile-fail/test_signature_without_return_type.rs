use ktstr::prelude::*;

#[ktstr_test]
fn test(ctx: &Ctx) {
    scenarios::steady(ctx)
}

fn main() {}
