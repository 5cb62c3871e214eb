use ktstr::prelude::*;

#[ktstr_test(payload = "schbench", workloads = SCHBENCH, disk_mb = 0)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

#[ktstr_test(workloads = ["schbench"])]
fn of_texts(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
