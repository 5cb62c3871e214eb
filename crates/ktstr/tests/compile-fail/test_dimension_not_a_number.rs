use ktstr::prelude::*;

#[ktstr_test(llcs = "2", cores = 1.5, threads = -1, numa_nodes = N)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
