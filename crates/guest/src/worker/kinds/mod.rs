//! Work types: one file each, and one line in [`members`].
//!
//! A file has the work itself, as a struct that implements [`Work`], and a function `members` that makes those of one
//! group with what they share.

mod affinity_churn;
mod alu_hot;
mod asymmetric_waker;
mod bursty;
mod cache_pipe;
mod cache_pressure;
mod cache_yield;
mod cgroup_churn;
mod custom;
mod epoll_storm;
mod fan_out_compute;
mod fork_exit;
mod futex_fan_out;
mod futex_ping_pong;
mod idle_churn;
mod io_convoy;
mod io_rand_read;
mod io_sync_write;
mod ipc_variance;
mod mixed;
mod mutex_contention;
mod nice_sweep;
mod numa_migration_churn;
mod numa_working_set_sweep;
mod page_fault_churn;
mod pipe_io;
mod policy_churn;
mod preempt_storm;
mod priority_inversion;
mod producer_consumer_imbalance;
mod rt_starvation;
mod sequence;
mod signal_storm;
mod smt_sibling_spin;
mod spin_wait;
mod thundering_herd;
mod wake_chain;
mod yield_heavy;

use ktstr_model::WorkType;

use super::group::GroupPlan;
use super::work::Work;
use crate::error::GuestError;

/// The members of one group, in order.
pub(crate) type Members = Vec<Box<dyn Work>>;

/// Makes the members of one group.
///
/// # Errors
/// When what they share cannot be had, or when this machine cannot carry the work.
pub(crate) fn members(work: &WorkType, plan: &GroupPlan<'_>) -> Result<Members, GuestError> {
    match *work {
        WorkType::SpinWait => Ok(spin_wait::members()),
        WorkType::YieldHeavy => Ok(yield_heavy::members()),
        WorkType::Mixed => Ok(mixed::members()),
        WorkType::AluHot { width } => alu_hot::members(width, plan),
        WorkType::SmtSiblingSpin => smt_sibling_spin::members(plan),
        WorkType::IpcVariance { hot_iters, cold_iters, period_iters } => {
            Ok(ipc_variance::members(hot_iters, cold_iters, period_iters))
        }
        WorkType::Bursty { burst_duration, sleep_duration } => {
            Ok(bursty::members(burst_duration, sleep_duration))
        }
        WorkType::IdleChurn { burst_duration, sleep_duration, precise_timing } => {
            Ok(idle_churn::members(burst_duration, sleep_duration, precise_timing))
        }
        WorkType::PipeIo { burst_iters } => pipe_io::members(burst_iters),
        WorkType::FutexPingPong { spin_iters } => futex_ping_pong::members(spin_iters),
        WorkType::FutexFanOut { fan_out, spin_iters } => futex_fan_out::members(fan_out, spin_iters),
        WorkType::CachePressure { size_kb, stride } => Ok(cache_pressure::members(size_kb, stride)),
        WorkType::CacheYield { size_kb, stride } => Ok(cache_yield::members(size_kb, stride)),
        WorkType::CachePipe { size_kb, burst_iters } => cache_pipe::members(size_kb, burst_iters),
        WorkType::Sequence { first, ref rest } => Ok(sequence::members(first, rest)),
        WorkType::ForkExit => Ok(fork_exit::members()),
        WorkType::FanOutCompute { fan_out, cache_footprint_kb, operations, sleep_usec } => {
            fan_out_compute::members(fan_out, cache_footprint_kb, operations, sleep_usec)
        }
        WorkType::AsymmetricWaker { waker_class, wakee_class, burst_iters } => {
            asymmetric_waker::members(waker_class, wakee_class, burst_iters)
        }
        WorkType::WakeChain { depth, wake, work_per_hop } => wake_chain::members(depth, wake, work_per_hop),
        WorkType::EpollStorm { producers, consumers, events_per_burst } => {
            epoll_storm::members(producers, consumers, events_per_burst)
        }
        WorkType::ThunderingHerd { waiters, batches, inter_batch_ms } => {
            thundering_herd::members(waiters, batches, inter_batch_ms)
        }
        WorkType::MutexContention { contenders, hold_iters, work_iters } => {
            mutex_contention::members(contenders, hold_iters, work_iters)
        }
        WorkType::PriorityInversion {
            high_count,
            medium_count,
            low_count,
            hold_iters,
            work_iters,
            pi_mode,
        } => {
            let counts =
                priority_inversion::Counts { high: high_count, medium: medium_count, low: low_count };
            priority_inversion::members(&counts, hold_iters, work_iters, pi_mode)
        }
        WorkType::ProducerConsumerImbalance {
            producers,
            consumers,
            produce_rate_hz,
            consume_iters,
            queue_depth_target,
        } => {
            let counts = producer_consumer_imbalance::Counts { producers, consumers };
            producer_consumer_imbalance::members(&counts, produce_rate_hz, consume_iters, queue_depth_target)
        }
        WorkType::SignalStorm { signals_per_iter, work_iters } => {
            signal_storm::members(signals_per_iter, work_iters)
        }
        WorkType::PreemptStorm { cfs_workers, rt_burst_iters, rt_sleep_us } => {
            Ok(preempt_storm::members(cfs_workers, rt_burst_iters, rt_sleep_us))
        }
        WorkType::RtStarvation { rt_workers, cfs_workers, rt_priority, burst_iters } => {
            Ok(rt_starvation::members(rt_workers, cfs_workers, rt_priority, burst_iters))
        }
        WorkType::IoSyncWrite => Ok(io_sync_write::members()),
        WorkType::IoRandRead => Ok(io_rand_read::members()),
        WorkType::IoConvoy => io_convoy::members(),
        WorkType::NiceSweep => Ok(nice_sweep::members()),
        WorkType::AffinityChurn { spin_iters } => Ok(affinity_churn::members(spin_iters, plan)),
        WorkType::PolicyChurn { spin_iters } => Ok(policy_churn::members(spin_iters)),
        WorkType::NumaMigrationChurn { period_ms } => numa_migration_churn::members(period_ms, plan),
        WorkType::CgroupChurn { groups, cycle_ms } => cgroup_churn::members(groups, cycle_ms, plan),
        WorkType::PageFaultChurn { region_kb, touches_per_cycle, spin_iters } => {
            Ok(page_fault_churn::members(region_kb, touches_per_cycle, spin_iters))
        }
        WorkType::NumaWorkingSetSweep { region_kb, sweep_period_ms, ref target_nodes } => {
            numa_working_set_sweep::members(region_kb, sweep_period_ms, target_nodes, plan)
        }
        WorkType::Custom { run, .. } => Ok(custom::members(run)),
        // The vocabulary may grow before its workers do.
        _ => Err(GuestError::WorkTypeUnknown(work.name())),
    }
}
