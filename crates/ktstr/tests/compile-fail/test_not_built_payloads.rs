use ktstr::prelude::*;

#[ktstr_test(payload = FIO, workloads = [FIO])]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
