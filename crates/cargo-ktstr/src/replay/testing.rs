//! A failed run and its token.

use ktstr_model::{Cause, Digest, Mode, RunOrder, Topology, Verdict};
use ktstr_results::replay::ReplayToken;
use ktstr_results::{Identities, Plan, Record, RecordKernel, TestProgram};

/// A deterministic run that failed.
pub fn record() -> Record {
    let order = RunOrder {
        turn_ns: 1_400_000,
        seed: 7,
        duration_ns: 1_000_000_000,
        settle_ns: 500_000_000,
        workers_per_cgroup: 4,
        ..RunOrder::plain("stalls", Topology::of(1, 2, 4, 1), Mode::Deterministic)
    };
    Record {
        program: TestProgram {
            package: "my-sched".into(),
            binary: "vm_basic".into(),
            profile: "debug".into(),
            build: Vec::new(),
        },
        mode: Some(Mode::Deterministic),
        kernel: Some(RecordKernel {
            release: "7.3.4-nowhere".into(),
            image: "/boot/x".into(),
            sha256: "ab".repeat(32),
        }),
        plan: Some(Plan::plain(order)),
        identities: Some(Identities::default()),
        verdict: Verdict::Fail,
        cause: Cause::SchedulerDied,
        headline: "the kernel disabled the scheduler: runnable task stall".into(),
        digest: Some(Digest::of(b"digest")),
        ..Record::begun("stalls".into(), "my_sched", 7)
    }
}

/// Its token.
pub fn token() -> ReplayToken {
    ReplayToken::of(&record()).expect("a deterministic run that failed has a token")
}
