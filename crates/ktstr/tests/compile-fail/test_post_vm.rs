use ktstr::prelude::*;

#[ktstr_test(post_vm = "looks")]
fn a_text(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

#[ktstr_test(host_only, post_vm = looks, cleanup_budget_ms = 100)]
fn without_a_machine(_: &Ctx) -> Result<AssertResult> {
    Ok(AssertResult::pass())
}

fn main() {}
