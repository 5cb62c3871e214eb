use ktstr::prelude::*;

#[derive(Payload)]
#[payload(program = "schbench", argv = ["-m"])]
struct Schbench;

#[derive(Payload)]
#[payload(program = "", exit_code = 300, any_exit, include_files = [""], args = "-m 2")]
struct Other;

fn main() {}
