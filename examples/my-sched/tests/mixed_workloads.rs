//! What steps are for: cgroups that come, change their CPUs and go while others work.

use std::time::Duration;

use ktstr::declare_scheduler;
use ktstr::prelude::*;

declare_scheduler!(MY_SCHED, {
    name = "my_sched",
    binary = "scx_my_sched",
    topology = (1, 2, 4, 1),
    kernels = ["6.14", "6.15..=7.0"],
    sched_args = ["--exit-dump-len", "1048576"],
});

const MS: fn(u64) -> Duration = Duration::from_millis;

/// A service that bursts and sleeps has a last-level cache of its own. A batch job joins it on the other one, is let out
/// onto all CPUs, and is squeezed again, over and over, while the service must go on.
#[ktstr_test(scheduler = MY_SCHED, min_llcs = 2, duration_s = 3, max_gap_ms = 500, not_starved)]
fn batch_job_beside_a_service(ctx: &Ctx) -> Result<AssertResult> {
    let bursts = WorkType::sequence(Phase::Spin(MS(5)), [Phase::Sleep(MS(10)), Phase::Yield(MS(2))]);
    let service = CgroupDef::named("service")
        .with_cpuset(CpusetSpec::llc(0))
        .cpu_weight(300)
        .work(WorkSpec::of(bursts).workers(3).comm("service"));
    let batch = CgroupDef::named("batch")
        .with_cpuset(CpusetSpec::llc(1))
        .work(WorkSpec::of(WorkType::SpinWait).workers(6).sched_policy(SchedPolicy::Batch));

    let squeeze = vec![
        Op::clear_cpuset("batch"),
        Op::freeze_cgroup("batch"),
        Op::unfreeze_cgroup("batch"),
        Op::set_cpuset("batch", CpusetSpec::range(0.5, 1.0)),
    ];
    let steps = vec![
        Step::new(vec![], HoldSpec::frac(0.3)),
        Step::with_defs(vec![batch], HoldSpec::loop_at(MS(300))).with_ops(squeeze),
        Step::new(vec![Op::spawn_host(WorkSpec::of(WorkType::YieldHeavy).workers(2))], HoldSpec::frac(0.3)),
    ];
    // The job's workers outnumber their CPUs, so what matters is that nobody stands still, not equal shares.
    let checks = ctx.assert.max_spread_pct(100.0);
    execute_scenario_with(ctx, Backdrop::new().with_cgroup(service), steps, Some(&checks))
}
