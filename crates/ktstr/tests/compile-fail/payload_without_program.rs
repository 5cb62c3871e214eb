use ktstr::prelude::*;

#[derive(Payload)]
struct Bare;

#[derive(Payload)]
#[payload]
struct Keyless;

#[derive(Payload)]
#[payload(name = "bench")]
#[payload(args = ["-m", "2"])]
struct Nameless;

fn main() {}
