use ktstr::prelude::*;

#[ktstr_test]
struct Test;

fn main() {}
