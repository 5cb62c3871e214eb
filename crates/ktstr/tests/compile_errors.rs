//! Bad declarations and the errors that they get, word for word.
//!
//! `TRYBUILD=overwrite cargo test -p ktstr --test compile_errors` writes the `.stderr` files anew.

#[test]
fn bad_declarations_are_refused_at_the_token() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
