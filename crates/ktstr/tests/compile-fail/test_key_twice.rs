use ktstr::prelude::*;

#[ktstr_test(llcs = 2, cores = 1, llcs = 4)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
