use ktstr::prelude::*;

#[derive(Payload)]
#[payload(program = "schbench")]
struct Schbench {
    threads: u32,
}

#[derive(Payload)]
#[payload(program = "schbench")]
enum Either {}

fn main() {}
