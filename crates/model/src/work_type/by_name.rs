//! Work types by their names, with parameters that fit most machines.

use std::time::Duration;

use super::{AluWidth, FutexLockMode, Phase, WakeMechanism, WorkType};
use crate::{SchedPolicy, near_miss};

/// A name that no work type has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no work type `{name}`{hint}; there are: {known}")]
pub struct UnknownWorkType {
    name: String,
    hint: String,
    known: String,
}

impl WorkType {
    /// The work type of this name, as a run's `work_type_override` has it: in groups of at most four, with pieces of work
    /// of some 10 to 100 us, pauses of milliseconds, and 256 KiB of memory.
    ///
    /// # Errors
    /// When there is none of this name, with the nearest. `Custom` is what a test brings itself, and has no such name.
    pub fn named(name: &str) -> Result<Self, UnknownWorkType> {
        let mut all = Self::all();
        match all.iter().position(|work| work.name() == name) {
            Some(index) => Ok(all.swap_remove(index)),
            None => Err(unknown(name, &all)),
        }
    }

    /// One of each but [`Custom`](Self::Custom).
    fn all() -> Vec<Self> {
        let ms = Duration::from_millis;
        vec![
            Self::SpinWait,
            Self::YieldHeavy,
            Self::Mixed,
            Self::alu_hot(AluWidth::Widest),
            Self::SmtSiblingSpin,
            Self::ipc_variance(10_000, 1_000, 4),
            Self::IoSyncWrite,
            Self::IoRandRead,
            Self::IoConvoy,
            Self::bursty(ms(5), ms(5)),
            Self::idle_churn(Duration::from_micros(100), Duration::from_micros(400), false),
            Self::pipe_io(10_000),
            Self::futex_ping_pong(10_000),
            Self::futex_fan_out(3, 10_000),
            Self::cache_pressure(256, 64),
            Self::cache_yield(256, 64),
            Self::cache_pipe(256, 4),
            Self::sequence(Phase::Spin(ms(5)), [Phase::Sleep(ms(2)), Phase::Yield(ms(2)), Phase::Io(ms(2))]),
            Self::ForkExit,
            Self::NiceSweep,
            Self::affinity_churn(10_000),
            Self::policy_churn(10_000),
            Self::numa_migration_churn(20),
            Self::cgroup_churn(3, 20),
            Self::fan_out_compute(3, 256, 2, 1_000),
            Self::asymmetric_waker(SchedPolicy::Normal, SchedPolicy::Batch, 10_000),
            Self::wake_chain(4, WakeMechanism::Futex, Duration::from_micros(50)),
            Self::epoll_storm(2, 2, 16),
            Self::thundering_herd(3, 16, 2),
            Self::page_fault_churn(256, 64, 1_000),
            Self::numa_working_set_sweep(256, 20, []),
            Self::mutex_contention(4, 5_000, 5_000),
            Self::priority_inversion(1, 1, 1, 5_000, 5_000, FutexLockMode::Pi),
            Self::producer_consumer_imbalance(2, 2, 1_000, 10_000, 64),
            Self::signal_storm(8, 5_000),
            Self::preempt_storm(3, 10_000, 1_000),
            Self::rt_starvation(1, 3, 50, 10_000),
        ]
    }
}

fn unknown(name: &str, all: &[WorkType]) -> UnknownWorkType {
    let known: Vec<&str> = all.iter().map(WorkType::name).collect();
    // As it is often typed: `spin_wait`, `spinwait`.
    let letters = |text: &str| text.replace(['_', '-'], "").to_lowercase();
    let same = known.iter().find(|known| letters(known) == letters(name)).copied();
    let hint = same.or_else(|| near_miss(name, known.iter().copied()));
    let hint = hint.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    UnknownWorkType { name: name.to_owned(), hint, known: known.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_work_type_but_custom_has_a_name_that_makes_sense() {
        let all = WorkType::all();
        assert_eq!(all.len(), 37);
        for work in all {
            let named = WorkType::named(work.name()).unwrap();
            assert_eq!(named.name(), work.name());
            assert!(named.group_size() <= 4, "{}", work.name());
            assert_eq!(named.validate(named.group_size()), Ok(()));
        }
    }

    #[test]
    fn other_names_get_a_hint() {
        let says = |name: &str| WorkType::named(name).unwrap_err().to_string();
        for (typed, meant) in [("SpinWiat", "SpinWait"), ("pipe_io", "PipeIo"), ("forkexit", "ForkExit")] {
            assert!(says(typed).starts_with(&format!(
                "there is no work type `{typed}`; did you mean `{meant}`?; there are: SpinWait, YieldHeavy, "
            )), "{}", says(typed));
        }
        assert!(
            says("Custom").starts_with("there is no work type `Custom`; there are: "),
            "{}",
            says("Custom")
        );
    }
}
