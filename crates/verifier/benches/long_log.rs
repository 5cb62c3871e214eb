//! How long it takes to collapse a log of 100 MB: `cargo bench -p ktstr-verifier`.
//!
//! Three logs: a loop of two million instructions, loops in a loop, and a log without repeats. The last is the same at
//! half the size: the time is to be half.

use std::fmt::Write as _;
use std::time::Instant;

use ktstr_verifier::collapse;

const SIZE: usize = 100 << 20;

fn instruction(log: &mut String, index: usize, state: usize) {
    let _ = writeln!(
        log,
        "{index}: (07) r1 += 1                         ; R1_w=scalar(smin={state},umax={state})"
    );
}

fn filled(size: usize, mut pass: impl FnMut(&mut String, usize)) -> String {
    let mut log = String::with_capacity(size + (1 << 20));
    for number in 0.. {
        if log.len() >= size {
            break;
        }
        pass(&mut log, number);
    }
    log
}

fn measure(name: &str, log: &str) {
    let began = Instant::now();
    let (mut pieces, mut lines) = (0, 0);
    for piece in collapse(log.lines()) {
        pieces += 1;
        lines += piece.lines();
    }
    let seconds = began.elapsed().as_secs_f64();
    let size = log.len() >> 20;
    println!("{name}: {size} MB, {lines} lines, {pieces} pieces, {seconds:.2} s");
}

fn main() {
    let one_loop = |log: &mut String, number| (0..8).for_each(|index| instruction(log, index, number));
    measure("one loop", &filled(SIZE, one_loop));
    let nested = |log: &mut String, number: usize| {
        instruction(log, 0, number);
        for inner in 0..5 + number % 7 {
            (1..9).for_each(|index| instruction(log, index, inner));
        }
        instruction(log, 9, number);
    };
    measure("loops in a loop", &filled(SIZE, nested));
    let mut next = 0;
    let mut fresh = |log: &mut String, _| {
        next += 1;
        instruction(log, next, 0);
    };
    measure("no repeats", &filled(SIZE, &mut fresh));
    measure("no repeats", &filled(SIZE / 2, &mut fresh));
    // Every line is a candidate for the end of a pass, and none is.
    let irregular = |log: &mut String, number: usize| {
        let bit = (number.wrapping_mul(0x9e37_79b9) >> 16) & 1;
        instruction(log, bit, number);
    };
    measure("two instructions without order", &filled(SIZE, irregular));
}
