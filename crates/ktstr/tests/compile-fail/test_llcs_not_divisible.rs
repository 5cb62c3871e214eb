use ktstr::prelude::*;

#[ktstr_test(numa_nodes = 2, llcs = 3)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
