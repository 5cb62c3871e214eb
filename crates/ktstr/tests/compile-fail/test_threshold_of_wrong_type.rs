use ktstr::prelude::*;

#[ktstr_test(max_gap_ms = 1.5, max_spread_pct = 150)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
