use ktstr::prelude::*;

#[ktstr_test(performance_mode, disk_mb = 64)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
