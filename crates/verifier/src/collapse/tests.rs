use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::log_line::LogLine;

/// A log from words: `a` is an instruction, `/a` a line of source; each line's registers are different.
fn log(words: &str) -> String {
    let line = |(number, word): (usize, &str)| match word.strip_prefix('/') {
        Some(source) => format!("; {source}(); @ f.bpf.c:1\n"),
        None => format!("{}: (07) r1 += 1   ; R1={number}\n", word.bytes().map(u32::from).sum::<u32>()),
    };
    words.split_whitespace().enumerate().map(line).collect()
}

fn collapsed(log: &str) -> Vec<Piece> {
    collapse(log.lines()).collect()
}

/// The pieces in short: `2*4(a b)` is a loop of 4 passes whose first has 2 pieces.
fn shape(pieces: &[Piece]) -> String {
    let one = |piece: &Piece| match piece {
        Piece::Line(line) => line.split(':').next().unwrap_or_default().to_owned(),
        Piece::Loop(walked) => format!("{}x({})", walked.passes_between + 2, shape(&walked.first)),
    };
    pieces.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn shape_of(words: &str) -> String {
    shape(&collapsed(&log(words)))
}

#[test]
fn passes_become_a_loop() {
    assert_eq!(shape_of("a b c"), "97 98 99");
    assert_eq!(shape_of("a b b c"), "97 2x(98) 99");
    assert_eq!(shape_of("a b c b c b c d"), "97 3x(98 99) 100");
    assert_eq!(shape_of("a b a b a c"), "2x(97 98) 97 99", "a pass that breaks off stays");
}

#[test]
fn loops_in_loops_are_found_whatever_their_number_of_passes() {
    assert_eq!(shape_of("x a a a y a a a y a a a y z"), "120 3x(3x(97) 121) 122");
    assert_eq!(shape_of("x a y y b a y y y b a y y b z"), "120 3x(97 2x(121) 98) 122");
    let three_deep = "o m i i i m i i i o m i i i m i i i o m i i i m i i i e";
    assert_eq!(shape_of(three_deep), "3x(111 2x(109 3x(105))) 101");
    // The inner loop is the end of the outer one's pass, so it goes on after the outer one was recognised.
    assert_eq!(shape_of("o i i i i o i i i i i o i i i"), "3x(111 4x(105))");
}

#[test]
fn lines_between_are_counted() {
    let log = log("x a y y b a y y y b a y y b z");
    let pieces = collapsed(&log);
    let Piece::Loop(outer) = &pieces[1] else { panic!("{pieces:?}") };
    assert_eq!((outer.passes_between, outer.lines_between), (1, 5));
    assert_eq!(pieces.iter().map(Piece::lines).sum::<u64>(), 15);
}

#[test]
fn source_is_part_of_a_pass_and_anchors_it() {
    let text: String =
        collapsed(&log("x /for a b /for a b /for a b /for a b y")).iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(text, @r"
    120: (07) r1 += 1   ; R1=0
    [a loop of 4 passes; the first:]
      ; for(); @ f.bpf.c:1
      97: (07) r1 += 1   ; R1=2
      98: (07) r1 += 1   ; R1=3
    [2 passes with 6 lines differ only in register state; the last pass:]
      ; for(); @ f.bpf.c:1
      97: (07) r1 += 1   ; R1=11
      98: (07) r1 += 1   ; R1=12
    [the loop's end]
    121: (07) r1 += 1   ; R1=13
    ");
}

#[test]
fn two_passes_are_printed_as_they_are() {
    let log = log("x a b a b y");
    let text: String = collapsed(&log).iter().map(ToString::to_string).collect();
    assert_eq!(text, log);
}

#[test]
fn pieces_come_before_the_log_ends() {
    let mut read = 0_u64;
    let lines: Vec<String> = (0..100_000).map(|index| format!("{index}: (07) r1 += 1")).collect();
    let mut pieces = collapse(lines.iter().map(|line| {
        read += 1;
        line.as_str()
    }));
    pieces.next();
    drop(pieces);
    assert!(read < 50_000, "{read} lines were read for the first piece");
}

/// A run of code as a program could give it: lines, and loops over runs.
fn code(depth: u32) -> impl Strategy<Value = String> {
    let line = "[a-f]|/[g-h]".prop_map(|line| line + " ");
    line.prop_recursive(depth, 200, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..5).prop_map(|runs| runs.concat()),
            (proptest::collection::vec(inner, 1..4), 1..6_usize)
                .prop_map(|(runs, n)| runs.concat().repeat(n)),
        ]
    })
}

fn printed(piece: &Piece, lines: &mut Vec<String>) {
    match piece {
        Piece::Line(line) => lines.push(line.clone()),
        Piece::Loop(walked) => {
            walked.first.iter().chain(&walked.last).for_each(|piece| printed(piece, lines));
        }
    }
}

/// The code that a piece stands for, with each loop's passes taken to be like its first; exact where loops within loops
/// have the same number of passes each time.
fn keys<'a>(piece: &'a Piece, into: &mut BTreeSet<LogLine<'a>>) {
    match piece {
        Piece::Line(line) => drop(into.insert(LogLine::parse(line))),
        Piece::Loop(walked) => {
            walked.first.iter().for_each(|piece| keys(piece, into));
            let mut last = BTreeSet::new();
            walked.last.iter().for_each(|piece| keys(piece, &mut last));
            let mut first = BTreeSet::new();
            walked.first.iter().for_each(|piece| keys(piece, &mut first));
            assert_eq!(first, last, "a loop's passes are over the same code");
        }
    }
}

proptest! {
    #[test]
    fn no_line_is_lost_that_is_not_a_repeat(words in code(5)) {
        let log = log(&words);
        let pieces = collapsed(&log);
        // Every line is accounted for.
        prop_assert_eq!(pieces.iter().map(Piece::lines).sum::<u64>(), log.lines().count() as u64);
        // What is printed are lines of the log, in their order.
        let mut shown = Vec::new();
        pieces.iter().for_each(|piece| printed(piece, &mut shown));
        let mut rest = log.lines();
        prop_assert!(shown.iter().all(|line| rest.any(|logged| logged == line)));
        // What is not printed is, but for registers, printed.
        let mut kept = BTreeSet::new();
        pieces.iter().for_each(|piece| keys(piece, &mut kept));
        prop_assert_eq!(kept, log.lines().map(LogLine::parse).collect());
    }

    #[test]
    fn equal_passes_expand_to_what_was_logged(run in proptest::collection::vec("[a-z]{1,4}", 1..12), passes in 2..40_usize) {
        let words = run.join(" ");
        let log = log(&format!("{words} ").repeat(passes));
        fn expand(pieces: &[Piece]) -> Vec<LogLine<'_>> {
            pieces.iter().flat_map(|piece| match piece {
                Piece::Line(line) => vec![LogLine::parse(line)],
                Piece::Loop(walked) => expand(&walked.first).repeat(walked.passes_between as usize + 2),
            }).collect()
        }
        let pieces = collapsed(&log);
        prop_assert_eq!(expand(&pieces), log.lines().map(LogLine::parse).collect::<Vec<_>>());
    }
}
