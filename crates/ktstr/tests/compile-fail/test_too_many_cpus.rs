use ktstr::prelude::*;

#[ktstr_test(llcs = 16, cores = 32, threads = 2)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
