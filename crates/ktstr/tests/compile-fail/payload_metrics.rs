use ktstr::prelude::*;

#[derive(Payload)]
#[payload(program = "schbench")]
#[metric(name = "p99")]
#[metric(source = json("p99"), unit = 5)]
#[metric(name = "p99", source = json(), higher_is_better, lower_is_better, max = "5")]
#[metric(name = "p99", source = "p99")]
#[metric(name = "rps", source = xml("rps"), in_real_time)]
#[metric(name = "rps", json = "rps")]
struct Schbench;

fn main() {}
