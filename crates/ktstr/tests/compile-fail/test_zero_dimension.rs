use ktstr::prelude::*;

#[ktstr_test(numa_nodes = 0, llcs = 0, cores = 0, threads = 0)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
