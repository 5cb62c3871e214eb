use ktstr::prelude::*;

fn of_other_type(_: u32) -> Result<AssertResult> {
    Ok(AssertResult::pass())
}

#[ktstr_test(post_vm = of_other_type)]
fn other_type(ctx: &Ctx) -> Result<AssertResult> {
    scenarios::steady(ctx)
}

fn main() {}
