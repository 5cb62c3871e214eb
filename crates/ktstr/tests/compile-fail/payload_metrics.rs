use ktstr::prelude::*;

#[derive(Payload)]
#[payload(program = "schbench")]
#[metric(name = "p99")]
#[metric(json = "p99", unit = 5)]
#[metric(name = "p99", json = "p99", pattern = "p99 (.*)", higher_is_better, lower_is_better, max = "5")]
#[metric(name = "rps", json = "rps", in_real_time, polarity = 3)]
struct Schbench;

fn main() {}
