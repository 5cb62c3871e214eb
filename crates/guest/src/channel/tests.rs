use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;

use ktstr_model::{Assert, AssertResult, Cleanup, Digest, Mode, Topology};
use ktstr_wire::{LogText, read_log};
use proptest::prelude::*;

use super::*;

/// A channel in a file, as the host prepares it.
pub(crate) fn channel_file(order: &RunOrder) -> File {
    let file = tempfile::tempfile().unwrap();
    file.set_len(layout::CHANNEL_SIZE).unwrap();
    let order = ktstr_wire::encode(order).unwrap();
    file.write_all_at(&layout::MAGIC.to_le_bytes(), word::MAGIC as u64).unwrap();
    file.write_all_at(&layout::VERSION.to_le_bytes(), word::VERSION as u64).unwrap();
    file.write_all_at(&(order.len() as u64).to_le_bytes(), word::ORDER_LEN as u64).unwrap();
    file.write_all_at(&order, layout::ORDER.offset).unwrap();
    file
}

pub(crate) fn order(test: &str) -> RunOrder {
    RunOrder {
        seed: 7,
        duration_ns: 300_000_000,
        settle_ns: 50_000_000,
        workers_per_cgroup: 2,
        assert: Assert::default_checks(),
        ..RunOrder::plain(test, Topology::of(1, 1, 2, 1), Mode::RealTime)
    }
}

/// The bytes of an area, as the host sees them.
pub(crate) fn area_of(file: &File, area: Area) -> Vec<u8> {
    let mut bytes = vec![0; area.size as usize];
    file.read_exact_at(&mut bytes, area.offset).unwrap();
    bytes
}

pub(crate) fn word_of(file: &File, offset: usize) -> u64 {
    let mut bytes = [0; 8];
    file.read_exact_at(&mut bytes, offset as u64).unwrap();
    u64::from_le_bytes(bytes)
}

fn open(file: &File) -> Channel {
    Channel::open(file.try_clone().unwrap().into(), 0).unwrap()
}

#[test]
fn the_order_arrives_and_the_report_leaves() {
    let order = order("inner::steady");
    let file = channel_file(&order);
    let channel = open(&file);
    assert_eq!(channel.order().unwrap(), order);

    channel.test_begins(42);
    assert_eq!(word_of(&file, word::TEST_BEGAN_NS), 42);
    assert_eq!(word_of(&file, word::STAGE) as u32, layout::stage::TEST_BEGAN);

    let report = RunReport {
        result: Ok(AssertResult::fail_msg("late")),
        workers: Vec::new(),
        stimuli: Vec::new(),
        payloads: Vec::new(),
        metrics: Vec::new(),
        scheduler: None,
        sched_ext_log: Vec::new(),
        cleanup: Cleanup::default(),
        guest_ns: 9,
        digest: Digest::of(b""),
    };
    assert_eq!(word_of(&file, word::REPORT_LEN), 0);
    channel.write_report(&report).unwrap();
    let len = word_of(&file, word::REPORT_LEN) as usize;
    let bytes = &area_of(&file, layout::REPORT)[..len];
    assert_eq!(ktstr_wire::decode::<RunReport>("report", bytes).unwrap(), report);
}

#[test]
fn a_report_that_does_not_fit_is_an_error() {
    let file = channel_file(&order("t"));
    let report = RunReport {
        result: Ok(AssertResult::pass().with_note("x".repeat(layout::REPORT.size as usize))),
        workers: Vec::new(),
        stimuli: Vec::new(),
        payloads: Vec::new(),
        metrics: Vec::new(),
        scheduler: None,
        sched_ext_log: Vec::new(),
        cleanup: Cleanup::default(),
        guest_ns: 0,
        digest: Digest::of(b""),
    };
    let error = open(&file).write_report(&report).unwrap_err();
    assert!(error.to_string().starts_with("the report of 23068"), "{error}");
    assert_eq!(word_of(&file, word::REPORT_LEN), 0);
}

#[test]
fn foreign_memory_is_refused() {
    let mut file = tempfile::tempfile().unwrap();
    file.set_len(layout::CHANNEL_SIZE).unwrap();
    file.write_all(b"ELF").unwrap();
    assert!(matches!(Channel::open(file.into(), 0), Err(GuestError::ChannelForeign { version: 0, .. })));

    let file = channel_file(&order("t"));
    file.write_all_at(&(layout::ORDER.size + 1).to_le_bytes(), word::ORDER_LEN as u64).unwrap();
    assert!(matches!(open(&file).order(), Err(GuestError::AreaTooSmall { area: "order", .. })));
    file.write_all_at(&3u64.to_le_bytes(), word::ORDER_LEN as u64).unwrap();
    assert!(matches!(open(&file).order(), Err(GuestError::Order(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn the_host_reads_the_last_bytes_of_a_log(lines in proptest::collection::vec("[a-z]{0,900}", 0..20)) {
        let area = Area { offset: layout::TEST_LOG.offset, size: 4096 };
        let file = channel_file(&order("t"));
        let mut log = open(&file).log("log", area).unwrap();
        lines.iter().for_each(|line| log.append(line.as_bytes()));
        let all = lines.concat();
        let lost = all.len().saturating_sub(4096 - LOG_HEADER as usize);
        let read = read_log(&area_of(&file, area));
        prop_assert_eq!(read, LogText { text: all[lost..].to_owned(), lost_bytes: lost as u64 });
    }
}
