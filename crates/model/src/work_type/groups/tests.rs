use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{AluWidth, FutexLockMode, Phase, WakeMechanism, WorkerReport};

fn nothing(_: &std::sync::atomic::AtomicBool) -> WorkerReport {
    WorkerReport::default()
}

/// Every work type, with parameters that make sense.
fn all() -> Vec<WorkType> {
    let ms = Duration::from_millis;
    vec![
        WorkType::SpinWait,
        WorkType::YieldHeavy,
        WorkType::Mixed,
        WorkType::alu_hot(AluWidth::Widest),
        WorkType::SmtSiblingSpin,
        WorkType::ipc_variance(1, 2, 3),
        WorkType::IoSyncWrite,
        WorkType::IoRandRead,
        WorkType::IoConvoy,
        WorkType::bursty(ms(1), ms(2)),
        WorkType::idle_churn(ms(1), ms(2), true),
        WorkType::pipe_io(1),
        WorkType::futex_ping_pong(1),
        WorkType::futex_fan_out(3, 1),
        WorkType::cache_pressure(4, 64),
        WorkType::cache_yield(4, 64),
        WorkType::cache_pipe(4, 1),
        WorkType::sequence(Phase::Spin(ms(1)), [Phase::Sleep(ms(1))]),
        WorkType::ForkExit,
        WorkType::NiceSweep,
        WorkType::affinity_churn(1),
        WorkType::policy_churn(1),
        WorkType::numa_migration_churn(1),
        WorkType::cgroup_churn(2, 1),
        WorkType::fan_out_compute(3, 4, 1, 0),
        WorkType::asymmetric_waker(SchedPolicy::Fifo(1), SchedPolicy::Normal, 1),
        WorkType::wake_chain(4, WakeMechanism::Futex, ms(1)),
        WorkType::epoll_storm(2, 3, 1),
        WorkType::thundering_herd(5, 1, 0),
        WorkType::page_fault_churn(64, 4, 0),
        WorkType::numa_working_set_sweep(64, 1, []),
        WorkType::mutex_contention(3, 1, 0),
        WorkType::priority_inversion(1, 2, 3, 1, 0, FutexLockMode::Pi),
        WorkType::producer_consumer_imbalance(2, 1, 100, 0, 8),
        WorkType::signal_storm(1, 0),
        WorkType::preempt_storm(3, 1, 1),
        WorkType::rt_starvation(1, 2, 50, 1),
        WorkType::custom("mine", nothing),
    ]
}

#[test]
fn there_are_38_with_names_of_their_own() {
    let mut names: Vec<&str> = all().iter().map(WorkType::name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 38);
    assert!(names.contains(&"mine"), "the test's own name");
    // A variant's name is what its `Debug` begins with.
    for work in all().iter().filter(|work| work.swappable()) {
        assert!(format!("{work:?}").starts_with(work.name()), "{work:?}");
    }
}

#[test]
fn groups_are_as_large_as_their_parts_together() {
    let sizes: Vec<(&str, usize)> =
        all().iter().map(|work| (work.name(), work.group_size())).filter(|(_, size)| *size > 1).collect();
    assert_eq!(
        sizes,
        [
            ("SmtSiblingSpin", 2),
            ("PipeIo", 2),
            ("FutexPingPong", 2),
            ("FutexFanOut", 4),
            ("CachePipe", 2),
            ("FanOutCompute", 4),
            ("AsymmetricWaker", 2),
            ("WakeChain", 4),
            ("EpollStorm", 5),
            ("ThunderingHerd", 6),
            ("MutexContention", 3),
            ("PriorityInversion", 6),
            ("ProducerConsumerImbalance", 3),
            ("SignalStorm", 2),
            ("PreemptStorm", 4),
            ("RtStarvation", 3),
        ]
    );
}

#[test]
fn says_what_makes_no_sense() {
    let says = |work: WorkType, workers: usize| work.validate(workers).unwrap_err().to_string();
    assert_eq!(
        says(WorkType::futex_fan_out(0, 1), 1),
        "FutexFanOut: fan_out = 0 leaves nothing to do; write 1 or more"
    );
    assert_eq!(
        says(WorkType::pipe_io(1), 3),
        "PipeIo works in groups of 2: 3 workers make no whole groups; ask for 4"
    );
    assert_eq!(says(WorkType::SpinWait, 0), "SpinWait: 0 workers do no work; ask for at least 1");
    assert_eq!(
        says(WorkType::rt_starvation(1, 1, 100, 1), 2),
        "RtStarvation: rt_priority = 100 is outside 1 to 99"
    );
    assert_eq!(
        says(WorkType::asymmetric_waker(SchedPolicy::Fifo(0), SchedPolicy::Normal, 1), 2),
        "AsymmetricWaker: waker_class = Fifo(0) is outside priorities 1 to 99"
    );
    let zero = WorkType::sequence(Phase::Spin(Duration::from_millis(1)), [Phase::Io(Duration::ZERO)]);
    assert!(says(zero, 1).contains("the duration of a phase = 0"));
    assert!(says(WorkType::cache_pressure(1, 2048), 1).contains("stride = 2048"));
    assert_eq!(
        says(WorkType::page_fault_churn(64, 17, 0), 1),
        "PageFaultChurn: touches_per_cycle = 17 is outside the pages of region_kb, 4 KiB each"
    );
    for (work, parameter) in [
        (WorkType::affinity_churn(0), "spin_iters"),
        (WorkType::policy_churn(0), "spin_iters"),
        (WorkType::numa_migration_churn(0), "period_ms"),
        (WorkType::cgroup_churn(0, 1), "groups"),
        (WorkType::cgroup_churn(1, 0), "cycle_ms"),
        (WorkType::page_fault_churn(0, 1, 0), "region_kb"),
        (WorkType::page_fault_churn(4, 0, 0), "touches_per_cycle"),
        (WorkType::numa_working_set_sweep(0, 1, []), "region_kb"),
        (WorkType::numa_working_set_sweep(4, 0, []), "sweep_period_ms"),
    ] {
        assert!(says(work, 1).contains(&format!("{parameter} = 0 leaves nothing to do")));
    }
    assert!(
        says(WorkType::wake_chain(1, WakeMechanism::Pipe, Duration::from_millis(1)), 1).contains("depth")
    );
    assert!(
        says(WorkType::bursty(Duration::ZERO, Duration::from_millis(1)), 1).contains("burst_duration = 0")
    );
}

proptest! {
    #[test]
    fn whole_groups_are_accepted_and_others_refused(which in 0usize..38, workers in 1usize..40) {
        let work = &all()[which];
        prop_assert_eq!(work.validate(workers).is_ok(), workers.is_multiple_of(work.group_size()));
        let usual = work.default_workers(workers);
        prop_assert!(work.validate(usual).is_ok() && usual >= workers && usual < workers + work.group_size());
    }

    #[test]
    fn no_size_overflows(fan_out: usize, others: usize) {
        let _ = WorkType::futex_fan_out(fan_out, 1).validate(others);
        let _ = WorkType::epoll_storm(fan_out, others, 1).validate(1);
        let _ = WorkType::cache_pressure(fan_out, others).validate(1);
        let _ = WorkType::thundering_herd(fan_out, 1, 0).group_size();
    }
}
