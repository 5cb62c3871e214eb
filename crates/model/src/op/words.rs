//! Operations in words, for messages and records.

use std::fmt;

use super::{Name, Op};
use crate::{WorkSpec, shown_name};

impl Op {
    /// Its name, as it is written in Rust.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AddCgroup { .. } => "AddCgroup",
            Self::RemoveCgroup { .. } => "RemoveCgroup",
            Self::SetCpuset { .. } => "SetCpuset",
            Self::ClearCpuset { .. } => "ClearCpuset",
            Self::SwapCpusets { .. } => "SwapCpusets",
            Self::Spawn { .. } => "Spawn",
            Self::StopCgroup { .. } => "StopCgroup",
            Self::SetAffinity { .. } => "SetAffinity",
            Self::SpawnHost { .. } => "SpawnHost",
            Self::MoveAllTasks { .. } => "MoveAllTasks",
            Self::RunPayload { .. } => "RunPayload",
            Self::WaitPayload { .. } => "WaitPayload",
            Self::KillPayload { .. } => "KillPayload",
            Self::FreezeCgroup { .. } => "FreezeCgroup",
            Self::UnfreezeCgroup { .. } => "UnfreezeCgroup",
            Self::Snapshot { .. } => "Snapshot",
            Self::WatchSnapshot { .. } => "WatchSnapshot",
            Self::CpuOffline { .. } => "CpuOffline",
            Self::CpuOnline { .. } => "CpuOnline",
        }
    }
}

impl fmt::Display for Op {
    /// Its name and what it is about, such as `SetCpuset cell_0 to Llc(1)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.name())?;
        match self {
            Self::AddCgroup { name: cgroup }
            | Self::RemoveCgroup { cgroup }
            | Self::ClearCpuset { cgroup }
            | Self::StopCgroup { cgroup }
            | Self::FreezeCgroup { cgroup }
            | Self::UnfreezeCgroup { cgroup } => f.write_str(shown_name(cgroup)),
            Self::SetCpuset { cgroup, cpus } => write!(f, "{} to {cpus:?}", shown_name(cgroup)),
            Self::SwapCpusets { a, b } => write!(f, "{} and {}", shown_name(a), shown_name(b)),
            Self::Spawn { cgroup, work } => write!(f, "{} in {}", workers(work), shown_name(cgroup)),
            Self::SetAffinity { cgroup, affinity } => write!(f, "{} to {affinity:?}", shown_name(cgroup)),
            Self::SpawnHost { work } => f.write_str(&workers(work)),
            Self::MoveAllTasks { from, to } => write!(f, "{} to {}", shown_name(from), shown_name(to)),
            Self::RunPayload { payload, cgroup, .. } => {
                write!(f, "{}{}", payload.name, place(cgroup.as_ref()))
            }
            Self::WaitPayload { name, cgroup } | Self::KillPayload { name, cgroup } => {
                write!(f, "{}{}", shown_name(name), place(cgroup.as_ref()))
            }
            Self::Snapshot { name } => f.write_str(shown_name(name)),
            Self::WatchSnapshot { symbol } => f.write_str(shown_name(symbol)),
            Self::CpuOffline { cpu } | Self::CpuOnline { cpu } => write!(f, "{cpu}"),
        }
    }
}

fn workers(work: &WorkSpec) -> String {
    let name = work.work_type.as_ref().map_or("SpinWait", |work| work.name());
    match work.num_workers {
        Some(count) => format!("{count} x {name}"),
        None => name.to_owned(),
    }
}

fn place(cgroup: Option<&Name>) -> String {
    cgroup.map_or_else(String::new, |cgroup| format!(" in {}", shown_name(cgroup)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AffinityIntent, CpusetSpec, Payload, WorkType};

    #[test]
    fn operations_say_what_they_do_to_what() {
        static BENCH: Payload = Payload::binary("bench", "schbench");
        let nothing: [&str; 0] = [];
        let said = [
            Op::add_cgroup("a"),
            Op::set_cpuset("a", CpusetSpec::exact([1, 2])),
            Op::swap_cpusets("a", "b"),
            Op::spawn("a", WorkSpec::of(WorkType::YieldHeavy).workers(3)),
            Op::spawn_host(WorkSpec::default()),
            Op::set_affinity("a", AffinityIntent::SingleCpu),
            Op::move_all_tasks("a", "b"),
            Op::run_payload_in_cgroup(&BENCH, nothing, "a"),
            Op::kill_payload("bench"),
            Op::snapshot("late"),
            Op::cpu_offline(3),
            Op::move_all_tasks("", "b"),
        ]
        .map(|op| op.to_string());
        assert_eq!(
            said,
            [
                "AddCgroup a",
                "SetCpuset a to Exact(CpuSet({1, 2}))",
                "SwapCpusets a and b",
                "Spawn 3 x YieldHeavy in a",
                "SpawnHost SpinWait",
                "SetAffinity a to SingleCpu",
                "MoveAllTasks a to b",
                "RunPayload bench in a",
                "KillPayload bench",
                "Snapshot late",
                "CpuOffline 3",
                "MoveAllTasks \"\" to b",
            ]
        );
    }
}
