use ktstr::prelude::*;

#[ktstr_test(max_gap_ms = 1.5, max_spread_pct = 150, min_page_locality = 90, max_wake_latency_cv = "low",
             max_p99_wake_latency_ns = 0, isolation = 1)]
fn test(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
