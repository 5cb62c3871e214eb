//! Work types with parameters, made in one call.

use std::time::Duration;

use super::{AluWidth, CustomWork, FutexLockMode, Phase, WakeMechanism, WorkType};
use crate::SchedPolicy;

impl WorkType {
    /// [`AluHot`](Self::AluHot).
    pub const fn alu_hot(width: AluWidth) -> Self {
        Self::AluHot { width }
    }

    /// [`IpcVariance`](Self::IpcVariance).
    pub const fn ipc_variance(hot_iters: u64, cold_iters: u64, period_iters: u64) -> Self {
        Self::IpcVariance { hot_iters, cold_iters, period_iters }
    }

    /// [`Bursty`](Self::Bursty).
    pub const fn bursty(burst_duration: Duration, sleep_duration: Duration) -> Self {
        Self::Bursty { burst_duration, sleep_duration }
    }

    /// [`IdleChurn`](Self::IdleChurn).
    pub const fn idle_churn(
        burst_duration: Duration,
        sleep_duration: Duration,
        precise_timing: bool,
    ) -> Self {
        Self::IdleChurn { burst_duration, sleep_duration, precise_timing }
    }

    /// [`PipeIo`](Self::PipeIo).
    pub const fn pipe_io(burst_iters: u64) -> Self {
        Self::PipeIo { burst_iters }
    }

    /// [`FutexPingPong`](Self::FutexPingPong).
    pub const fn futex_ping_pong(spin_iters: u64) -> Self {
        Self::FutexPingPong { spin_iters }
    }

    /// [`FutexFanOut`](Self::FutexFanOut).
    pub const fn futex_fan_out(fan_out: usize, spin_iters: u64) -> Self {
        Self::FutexFanOut { fan_out, spin_iters }
    }

    /// [`CachePressure`](Self::CachePressure).
    pub const fn cache_pressure(size_kb: usize, stride: usize) -> Self {
        Self::CachePressure { size_kb, stride }
    }

    /// [`CacheYield`](Self::CacheYield).
    pub const fn cache_yield(size_kb: usize, stride: usize) -> Self {
        Self::CacheYield { size_kb, stride }
    }

    /// [`CachePipe`](Self::CachePipe).
    pub const fn cache_pipe(size_kb: usize, burst_iters: u64) -> Self {
        Self::CachePipe { size_kb, burst_iters }
    }

    /// [`Sequence`](Self::Sequence).
    pub fn sequence(first: Phase, rest: impl IntoIterator<Item = Phase>) -> Self {
        Self::Sequence { first, rest: rest.into_iter().collect() }
    }

    /// [`AffinityChurn`](Self::AffinityChurn).
    pub const fn affinity_churn(spin_iters: u64) -> Self {
        Self::AffinityChurn { spin_iters }
    }

    /// [`PolicyChurn`](Self::PolicyChurn).
    pub const fn policy_churn(spin_iters: u64) -> Self {
        Self::PolicyChurn { spin_iters }
    }

    /// [`NumaMigrationChurn`](Self::NumaMigrationChurn).
    pub const fn numa_migration_churn(period_ms: u64) -> Self {
        Self::NumaMigrationChurn { period_ms }
    }

    /// [`CgroupChurn`](Self::CgroupChurn).
    pub const fn cgroup_churn(groups: usize, cycle_ms: u64) -> Self {
        Self::CgroupChurn { groups, cycle_ms }
    }

    /// [`FanOutCompute`](Self::FanOutCompute).
    pub const fn fan_out_compute(
        fan_out: usize,
        cache_footprint_kb: usize,
        operations: usize,
        sleep_usec: u64,
    ) -> Self {
        Self::FanOutCompute { fan_out, cache_footprint_kb, operations, sleep_usec }
    }

    /// [`AsymmetricWaker`](Self::AsymmetricWaker).
    pub const fn asymmetric_waker(
        waker_class: SchedPolicy,
        wakee_class: SchedPolicy,
        burst_iters: u64,
    ) -> Self {
        Self::AsymmetricWaker { waker_class, wakee_class, burst_iters }
    }

    /// [`WakeChain`](Self::WakeChain).
    pub const fn wake_chain(depth: usize, wake: WakeMechanism, work_per_hop: Duration) -> Self {
        Self::WakeChain { depth, wake, work_per_hop }
    }

    /// [`EpollStorm`](Self::EpollStorm).
    pub const fn epoll_storm(producers: usize, consumers: usize, events_per_burst: u64) -> Self {
        Self::EpollStorm { producers, consumers, events_per_burst }
    }

    /// [`ThunderingHerd`](Self::ThunderingHerd).
    pub const fn thundering_herd(waiters: usize, batches: u64, inter_batch_ms: u64) -> Self {
        Self::ThunderingHerd { waiters, batches, inter_batch_ms }
    }

    /// [`PageFaultChurn`](Self::PageFaultChurn).
    pub const fn page_fault_churn(region_kb: usize, touches_per_cycle: usize, spin_iters: u64) -> Self {
        Self::PageFaultChurn { region_kb, touches_per_cycle, spin_iters }
    }

    /// [`NumaWorkingSetSweep`](Self::NumaWorkingSetSweep).
    pub fn numa_working_set_sweep(
        region_kb: usize,
        sweep_period_ms: u64,
        target_nodes: impl IntoIterator<Item = usize>,
    ) -> Self {
        let target_nodes = target_nodes.into_iter().collect();
        Self::NumaWorkingSetSweep { region_kb, sweep_period_ms, target_nodes }
    }

    /// [`MutexContention`](Self::MutexContention).
    pub const fn mutex_contention(contenders: usize, hold_iters: u64, work_iters: u64) -> Self {
        Self::MutexContention { contenders, hold_iters, work_iters }
    }

    /// [`PriorityInversion`](Self::PriorityInversion).
    pub const fn priority_inversion(
        high_count: usize,
        medium_count: usize,
        low_count: usize,
        hold_iters: u64,
        work_iters: u64,
        pi_mode: FutexLockMode,
    ) -> Self {
        Self::PriorityInversion { high_count, medium_count, low_count, hold_iters, work_iters, pi_mode }
    }

    /// [`ProducerConsumerImbalance`](Self::ProducerConsumerImbalance).
    pub const fn producer_consumer_imbalance(
        producers: usize,
        consumers: usize,
        produce_rate_hz: u64,
        consume_iters: u64,
        queue_depth_target: u64,
    ) -> Self {
        Self::ProducerConsumerImbalance {
            producers,
            consumers,
            produce_rate_hz,
            consume_iters,
            queue_depth_target,
        }
    }

    /// [`SignalStorm`](Self::SignalStorm).
    pub const fn signal_storm(signals_per_iter: u64, work_iters: u64) -> Self {
        Self::SignalStorm { signals_per_iter, work_iters }
    }

    /// [`PreemptStorm`](Self::PreemptStorm).
    pub const fn preempt_storm(cfs_workers: usize, rt_burst_iters: u64, rt_sleep_us: u64) -> Self {
        Self::PreemptStorm { cfs_workers, rt_burst_iters, rt_sleep_us }
    }

    /// [`RtStarvation`](Self::RtStarvation).
    pub const fn rt_starvation(
        rt_workers: usize,
        cfs_workers: usize,
        rt_priority: i32,
        burst_iters: u64,
    ) -> Self {
        Self::RtStarvation { rt_workers, cfs_workers, rt_priority, burst_iters }
    }

    /// [`Custom`](Self::Custom).
    pub const fn custom(name: &'static str, run: CustomWork) -> Self {
        Self::Custom { name, run }
    }
}
