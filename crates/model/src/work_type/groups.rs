//! Which work types work in groups, and what makes no sense.

use super::WorkType;
use crate::SchedPolicy;

/// Why workers cannot be given this work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkTypeError {
    /// A parameter that has to be at least 1.
    #[error("{work}: {parameter} = 0 leaves nothing to do; write 1 or more")]
    Zero {
        /// The work type.
        work: &'static str,
        /// The parameter.
        parameter: &'static str,
    },
    /// A parameter outside its range.
    #[error("{work}: {parameter} = {value} is outside {range}")]
    OutOfRange {
        /// The work type.
        work: &'static str,
        /// The parameter.
        parameter: &'static str,
        /// What was asked for.
        value: String,
        /// What it may be.
        range: &'static str,
    },
    /// Workers that do not make whole groups.
    #[error("{work} works in groups of {group}: {workers} workers make no whole groups; ask for {fitting}")]
    Group {
        /// The work type.
        work: &'static str,
        /// Workers in one group.
        group: usize,
        /// Workers asked for.
        workers: usize,
        /// The next number above that would do.
        fitting: usize,
    },
    /// No workers.
    #[error("{work}: 0 workers do no work; ask for at least {group}")]
    NoWorkers {
        /// The work type.
        work: &'static str,
        /// Workers in one group.
        group: usize,
    },
}

impl WorkType {
    /// How many workers work together: 1 for those that work alone.
    pub fn group_size(&self) -> usize {
        match self {
            Self::SmtSiblingSpin
            | Self::PipeIo { .. }
            | Self::FutexPingPong { .. }
            | Self::CachePipe { .. }
            | Self::AsymmetricWaker { .. }
            | Self::SignalStorm { .. } => 2,
            Self::FutexFanOut { fan_out: others, .. }
            | Self::FanOutCompute { fan_out: others, .. }
            | Self::ThunderingHerd { waiters: others, .. }
            | Self::PreemptStorm { cfs_workers: others, .. } => others.saturating_add(1),
            Self::WakeChain { depth, .. } => *depth,
            Self::MutexContention { contenders, .. } => *contenders,
            Self::EpollStorm { producers, consumers, .. }
            | Self::ProducerConsumerImbalance { producers, consumers, .. } => {
                producers.saturating_add(*consumers)
            }
            Self::PriorityInversion { high_count, medium_count, low_count, .. } => {
                high_count.saturating_add(*medium_count).saturating_add(*low_count)
            }
            Self::RtStarvation { rt_workers, cfs_workers, .. } => rt_workers.saturating_add(*cfs_workers),
            _ => 1,
        }
    }

    /// Whether workers come in pairs.
    pub fn needs_pairs(&self) -> bool {
        self.group_size() == 2
    }

    /// How many workers a cgroup gets that asks for none: one group, or `usual` rounded up to whole groups.
    pub fn default_workers(&self, usual: usize) -> usize {
        let group = self.group_size().max(1);
        usual.max(1).checked_next_multiple_of(group).unwrap_or(group)
    }

    /// Whether `work_type_override` may put another work type in its place. Not what a test brings itself.
    pub fn swappable(&self) -> bool {
        !matches!(self, Self::Custom { .. })
    }

    /// Checks the parameters, and that `workers` workers make whole groups.
    ///
    /// # Errors
    /// When a parameter is zero or out of range, or when the workers make no whole groups.
    pub fn validate(&self, workers: usize) -> Result<(), WorkTypeError> {
        let work = self.name();
        if let Some((parameter, _)) = self.at_least_one().into_iter().find(|(_, value)| *value == 0) {
            return Err(WorkTypeError::Zero { work, parameter });
        }
        self.check_ranges()?;
        let group = self.group_size();
        if workers == 0 {
            return Err(WorkTypeError::NoWorkers { work, group });
        }
        if !workers.is_multiple_of(group) {
            let fitting = workers.checked_next_multiple_of(group).unwrap_or(group);
            return Err(WorkTypeError::Group { work, group, workers, fitting });
        }
        Ok(())
    }

    fn check_ranges(&self) -> Result<(), WorkTypeError> {
        let work = self.name();
        let out = |parameter, value: String, range| {
            Err(WorkTypeError::OutOfRange { work, parameter, value, range })
        };
        match self {
            Self::RtStarvation { rt_priority, .. } if !(1..=99).contains(rt_priority) => {
                out("rt_priority", rt_priority.to_string(), "1 to 99")
            }
            Self::AsymmetricWaker { waker_class, wakee_class, .. } => {
                match [("waker_class", waker_class), ("wakee_class", wakee_class)]
                    .into_iter()
                    .find(|(_, policy)| !policy.in_range())
                {
                    Some((parameter, policy)) => {
                        out(parameter, format!("{policy:?}"), SchedPolicy::PRIORITIES)
                    }
                    None => Ok(()),
                }
            }
            Self::WakeChain { depth: 1, .. } => out("depth", "1".to_owned(), "2 and more"),
            Self::MutexContention { contenders: 1, .. } => out("contenders", "1".to_owned(), "2 and more"),
            Self::CachePressure { size_kb, stride } | Self::CacheYield { size_kb, stride }
                if *stride > size_kb.saturating_mul(1024) =>
            {
                out("stride", stride.to_string(), "the memory of size_kb")
            }
            Self::PageFaultChurn { region_kb, touches_per_cycle, .. }
                if *touches_per_cycle > region_kb.div_ceil(4) =>
            {
                out("touches_per_cycle", touches_per_cycle.to_string(), "the pages of region_kb, 4 KiB each")
            }
            _ => Ok(()),
        }
    }

    /// The parameters that must not be zero, by name.
    fn at_least_one(&self) -> Vec<(&'static str, u64)> {
        let size = |value: usize| value as u64;
        let time = |value: std::time::Duration| value.as_nanos() as u64;
        match *self {
            Self::IpcVariance { hot_iters, cold_iters, period_iters } => {
                vec![("hot_iters", hot_iters), ("cold_iters", cold_iters), ("period_iters", period_iters)]
            }
            Self::Bursty { burst_duration, sleep_duration }
            | Self::IdleChurn { burst_duration, sleep_duration, .. } => {
                vec![("burst_duration", time(burst_duration)), ("sleep_duration", time(sleep_duration))]
            }
            Self::PipeIo { burst_iters } | Self::AsymmetricWaker { burst_iters, .. } => {
                vec![("burst_iters", burst_iters)]
            }
            Self::FutexPingPong { spin_iters }
            | Self::AffinityChurn { spin_iters }
            | Self::PolicyChurn { spin_iters } => vec![("spin_iters", spin_iters)],
            Self::FutexFanOut { fan_out, spin_iters } => {
                vec![("fan_out", size(fan_out)), ("spin_iters", spin_iters)]
            }
            Self::CachePressure { size_kb, stride } | Self::CacheYield { size_kb, stride } => {
                vec![("size_kb", size(size_kb)), ("stride", size(stride))]
            }
            Self::CachePipe { size_kb, burst_iters } => {
                vec![("size_kb", size(size_kb)), ("burst_iters", burst_iters)]
            }
            Self::Sequence { first, ref rest } => {
                let phases = std::iter::once(&first).chain(rest);
                phases.map(|phase| ("the duration of a phase", time(phase.duration()))).collect()
            }
            Self::NumaMigrationChurn { period_ms } => vec![("period_ms", period_ms)],
            Self::CgroupChurn { groups, cycle_ms } => {
                vec![("groups", size(groups)), ("cycle_ms", cycle_ms)]
            }
            Self::FanOutCompute { fan_out, cache_footprint_kb, operations, .. } => vec![
                ("fan_out", size(fan_out)),
                ("cache_footprint_kb", size(cache_footprint_kb)),
                ("operations", size(operations)),
            ],
            Self::WakeChain { depth, work_per_hop, .. } => {
                vec![("depth", size(depth)), ("work_per_hop", time(work_per_hop))]
            }
            Self::EpollStorm { producers, consumers, events_per_burst } => vec![
                ("producers", size(producers)),
                ("consumers", size(consumers)),
                ("events_per_burst", events_per_burst),
            ],
            Self::ThunderingHerd { waiters, batches, .. } => {
                vec![("waiters", size(waiters)), ("batches", batches)]
            }
            Self::PageFaultChurn { region_kb, touches_per_cycle, .. } => {
                vec![("region_kb", size(region_kb)), ("touches_per_cycle", size(touches_per_cycle))]
            }
            Self::NumaWorkingSetSweep { region_kb, sweep_period_ms, .. } => {
                vec![("region_kb", size(region_kb)), ("sweep_period_ms", sweep_period_ms)]
            }
            Self::MutexContention { contenders, hold_iters, .. } => {
                vec![("contenders", size(contenders)), ("hold_iters", hold_iters)]
            }
            Self::PriorityInversion { high_count, medium_count, low_count, hold_iters, .. } => vec![
                ("high_count", size(high_count)),
                ("medium_count", size(medium_count)),
                ("low_count", size(low_count)),
                ("hold_iters", hold_iters),
            ],
            Self::ProducerConsumerImbalance {
                producers,
                consumers,
                produce_rate_hz,
                queue_depth_target,
                ..
            } => vec![
                ("producers", size(producers)),
                ("consumers", size(consumers)),
                ("produce_rate_hz", produce_rate_hz),
                ("queue_depth_target", queue_depth_target),
            ],
            Self::SignalStorm { signals_per_iter, .. } => vec![("signals_per_iter", signals_per_iter)],
            Self::PreemptStorm { cfs_workers, rt_burst_iters, rt_sleep_us } => vec![
                ("cfs_workers", size(cfs_workers)),
                ("rt_burst_iters", rt_burst_iters),
                ("rt_sleep_us", rt_sleep_us),
            ],
            Self::RtStarvation { rt_workers, cfs_workers, burst_iters, .. } => vec![
                ("rt_workers", size(rt_workers)),
                ("cfs_workers", size(cfs_workers)),
                ("burst_iters", burst_iters),
            ],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
