use ktstr_model::{AssertResult, Migration, SchedulerReport, Stimulus};
use proptest::prelude::*;

use super::*;

fn report(workers: Vec<WorkerReport>) -> RunReport {
    let report = RunReport { workers, ..RunReport::of_result(Ok(AssertResult::pass())) };
    report.with_digest()
}

fn worker(index: u32, events: &[(u64, u32, u32)]) -> WorkerReport {
    WorkerReport {
        cgroup: "cell_0".into(),
        index,
        work: "SpinWait".into(),
        events: events.iter().map(|event| (*event).into()).collect(),
        event_stride: 1,
        ..WorkerReport::default()
    }
}

fn base() -> RunReport {
    let mut base = report(vec![
        worker(0, &[(1_000_000_000, 0, 1), (1_000_002_000, 0, 2), (1_000_004_000, 1, 3)]),
        worker(1, &[(1_000_001_000, 2, 1), (1_000_003_000, 2, 2)]),
    ]);
    base.stimuli = vec![Stimulus {
        began_ns: 900_000_000,
        ended_ns: 950_000_000,
        place: "step 1".into(),
        what: "sets up cell".into(),
    }];
    base.sched_ext_log = vec!["[    1.000004] sched_ext: BPF scheduler \"x\" disabled (stall)".into()];
    base
}

fn told(one: &RunReport, other: &RunReport) -> String {
    first_divergence(one, other).map_or("equal".to_owned(), |divergence| divergence.lines().join("\n"))
}

#[test]
fn equal_runs_do_not_diverge() {
    assert_eq!(first_divergence(&base(), &base()), None);
}

#[test]
fn the_first_different_event_is_shown_with_what_was_before() {
    let mut other = base();
    other.workers[1].events[1] = WorkerEvent { at_ns: 1_000_003_500, cpu: 3, count: 2 };
    insta::assert_snapshot!(told(&base(), &other), @r"
    the first difference is at 1.000003000 s of the guest's clock
      one run:   1.000003000 s worker 1 of cell_0 (SpinWait) on CPU 2, checkpoint 2
      the other: 1.000003500 s worker 1 of cell_0 (SpinWait) on CPU 3, checkpoint 2
      before it, in both:
        0.900000000 s the scenario step 1 begins: sets up cell
        0.950000000 s the scenario step 1 ends: sets up cell
        1.000000000 s worker 0 of cell_0 (SpinWait) on CPU 0, checkpoint 1
        1.000001000 s worker 1 of cell_0 (SpinWait) on CPU 2, checkpoint 1
        1.000002000 s worker 0 of cell_0 (SpinWait) on CPU 0, checkpoint 2
    ");
}

#[test]
fn an_event_that_only_one_run_has_is_shown() {
    let mut other = base();
    other.sched_ext_log.clear();
    insta::assert_snapshot!(told(&other, &base()), @r#"
    the first difference is at 1.000004000 s of the guest's clock
      one run:   nothing more of the kernel on sched_ext
      the other: 1.000004000 s the kernel on sched_ext said sched_ext: BPF scheduler "x" disabled (stall)
      before it, in both:
        0.950000000 s the scenario step 1 ends: sets up cell
        1.000000000 s worker 0 of cell_0 (SpinWait) on CPU 0, checkpoint 1
        1.000001000 s worker 1 of cell_0 (SpinWait) on CPU 2, checkpoint 1
        1.000002000 s worker 0 of cell_0 (SpinWait) on CPU 0, checkpoint 2
        1.000003000 s worker 1 of cell_0 (SpinWait) on CPU 2, checkpoint 2
    "#);
}

#[test]
fn figures_are_compared_when_the_events_are_equal() {
    let mut other = base();
    other.workers[1].cpu_ns = 7;
    other.workers[0].wake_latencies.kept_ns = vec![1, 2, 3, 4, 5];
    insta::assert_snapshot!(told(&base(), &other), @r"
    every event that was kept is the same in both; what differs is
      workers[0].wake_latencies.kept_ns: [] and 5 values
      workers[1].cpu_ns: 0 and 7
    ");
}

#[test]
fn events_that_one_run_thinned_out_are_no_difference() {
    let all: Vec<_> = (1..=8).map(|count| (u64::from(count) * 1_000, 0, count)).collect();
    let half: Vec<_> = all.iter().copied().filter(|event| event.2 % 2 == 0).collect();
    let mut other = report(vec![WorkerReport { event_stride: 2, ..worker(0, &half) }]);
    other.workers[0].work_units = 9;
    let divergence = first_divergence(&report(vec![worker(0, &all)]), &other);
    assert!(matches!(divergence, Some(Divergence::Figures(_))), "{divergence:?}");

    other.workers[0].events[2].cpu = 3;
    let text = told(&report(vec![worker(0, &all)]), &other);
    assert!(text.contains("or at a checkpoint right before it that was not kept; there are 1"), "{text}");
}

#[test]
fn a_scheduler_that_died_in_one_run_is_a_difference() {
    let mut other = base();
    other.scheduler = Some(SchedulerReport { died_at_ns: Some(1_000_001_500), ..SchedulerReport::default() });
    let text = told(&base(), &other);
    assert!(text.contains("the other: 1.000001500 s the scheduler was disabled or ended"), "{text}");
    assert!(text.contains("one run:   nothing more of the scheduler"), "{text}");
}

/// Changes one thing of a run.
#[derive(Clone, Debug)]
enum Change {
    Later { worker: usize, event: usize, ns: u64 },
    OnCpu { worker: usize, event: usize, cpu: u32 },
    Cut { worker: usize, event: usize },
    Migrated { worker: usize, at_ns: u64 },
}

fn runs() -> impl Strategy<Value = RunReport> {
    let events = prop::collection::vec((1..100_000u64, 0..4u32), 1..40);
    prop::collection::vec(events, 1..5).prop_map(|workers| {
        let worker_of = |(index, steps): (usize, Vec<(u64, u32)>)| {
            let mut at_ns = 0;
            let events: Vec<_> = steps
                .into_iter()
                .zip(1..)
                .map(|((ns, cpu), count)| {
                    at_ns += ns;
                    (at_ns, cpu, count)
                })
                .collect();
            worker(index as u32, &events)
        };
        report(workers.into_iter().enumerate().map(worker_of).collect())
    })
}

fn changes() -> impl Strategy<Value = Change> {
    let place = || (0..8usize, 0..64usize);
    prop_oneof![
        (place(), 1..1_000u64).prop_map(|((worker, event), ns)| Change::Later { worker, event, ns }),
        (place(), 4..8u32).prop_map(|((worker, event), cpu)| Change::OnCpu { worker, event, cpu }),
        place().prop_map(|(worker, event)| Change::Cut { worker, event }),
        (0..8usize, 0..1_000_000u64).prop_map(|(worker, at_ns)| Change::Migrated { worker, at_ns }),
    ]
}

/// Applies a change and says when what it changed was.
fn apply(change: &Change, run: &mut RunReport) -> u64 {
    let (Change::Later { worker, .. }
    | Change::OnCpu { worker, .. }
    | Change::Cut { worker, .. }
    | Change::Migrated { worker, .. }) = *change;
    let count = run.workers.len();
    let worker = &mut run.workers[worker % count];
    let length = worker.events.len();
    match *change {
        Change::Later { event, ns, .. } => {
            let at_ns = worker.events[event % length].at_ns;
            worker.events[event % length].at_ns += ns;
            at_ns
        }
        Change::OnCpu { event, cpu, .. } => {
            worker.events[event % length].cpu = cpu;
            worker.events[event % length].at_ns
        }
        Change::Cut { event, .. } => {
            let at_ns = worker.events[event % length].at_ns;
            worker.events.truncate(event % length);
            at_ns
        }
        Change::Migrated { at_ns, .. } => {
            worker.migration_log.push(Migration { at_ns, from: 0, to: 1 });
            at_ns
        }
    }
}

proptest! {
    #[test]
    fn one_change_is_found_where_it_is(run in runs(), change in changes()) {
        let mut changed = run.clone();
        let expected_ns = apply(&change, &mut changed);
        let Some(Divergence::Event { at_ns, sides, before, .. }) = first_divergence(&run, &changed) else {
            panic!("no event differs");
        };
        prop_assert_eq!(at_ns, expected_ns);
        prop_assert_ne!(&sides[0], &sides[1]);
        prop_assert!(before.len() <= SHOWN_BEFORE);
        let Some(Divergence::Event { at_ns, sides: swapped, before: same, .. }) = first_divergence(&changed, &run)
        else {
            panic!("no event differs the other way round");
        };
        prop_assert_eq!((at_ns, same), (expected_ns, before));
        prop_assert_eq!([&swapped[1], &swapped[0]], [&sides[0], &sides[1]]);
    }

    #[test]
    fn any_two_runs_are_compared(one in runs(), other in runs(), lines in prop::collection::vec(".*", 0..3)) {
        let mut one = one;
        one.sched_ext_log = lines;
        let divergence = first_divergence(&one, &other);
        prop_assert_eq!(divergence.is_none(), one == other);
    }
}
