//! What crosses the line of a session arrives as it was sent, however it is cut into pieces.
#![allow(clippy::unwrap_used)]

use ktstr_wire::session::{Kind, LONGEST, Reassembly, Request, Size, frames};
use proptest::prelude::*;

proptest! {
    #[test]
    fn frames_survive_being_cut(texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..6), piece in 1..40usize) {
        let sent: Vec<u8> = texts.iter().flat_map(|text| frames(Kind::Output, text)).collect();
        let mut reassembly = Reassembly::default();
        let mut arrived = Vec::new();
        for part in sent.chunks(piece) {
            reassembly.push(part);
            while let Some((kind, payload)) = reassembly.next_frame().unwrap() {
                prop_assert_eq!(kind, Kind::Output);
                arrived.push(payload);
            }
        }
        prop_assert_eq!(arrived, texts);
    }

    #[test]
    fn requests_parse_back(columns: u16, rows: u16, kind in "[a-z][a-z0-9 -]{0,20}", with: bool, kernel_log: bool) {
        let terminal = with.then_some((Size { columns, rows }, kind));
        let request = Request { terminal, kernel_log };
        prop_assert_eq!(Request::parse(&request.to_text()), Ok(request));
    }
}

#[test]
fn a_long_payload_makes_several_frames() {
    let long = vec![7; 2 * LONGEST + 1];
    let mut reassembly = Reassembly::default();
    reassembly.push(&frames(Kind::Input, &long));
    let lengths: Vec<usize> =
        std::iter::from_fn(|| reassembly.next_frame().unwrap()).map(|(_, payload)| payload.len()).collect();
    assert_eq!(lengths, [LONGEST, LONGEST, 1]);
}

#[test]
fn what_is_no_frame_is_an_error() {
    for bytes in [&[0, 0, 0, 0, 0][..], &[99, 1, 0, 0, 0], &[4, 0, 0, 0, 255]] {
        let mut reassembly = Reassembly::default();
        reassembly.push(bytes);
        assert!(reassembly.next_frame().is_err(), "{bytes:?}");
    }
    assert!(Request::parse("terminal 80 many xterm").is_err());
    assert!(Request::parse("shell").is_err());
    assert_eq!(Size::from_bytes(&[1, 2, 3]), None);
    let size = Size { columns: 300, rows: 2 };
    assert_eq!(Size::from_bytes(&size.to_bytes()), Some(size));
}
