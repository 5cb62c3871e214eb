//! A cgroup of a scenario with its workers.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::cgroup_limits::{CgroupLimits, CpuMax, Limit};
use crate::{
    AffinityIntent, CpusetSpec, MemPolicy, MpolFlags, Payload, SchedPolicy, WorkSpec, WorkType,
    WorkloadConfig,
};

/// A cgroup of a scenario with its workers.
///
/// What is said of workers here holds for each [`WorkSpec`] that leaves it open. Without any of those there is one group
/// of workers, as said here; for one with external programs see [`workload`](Self::workload).
#[derive(Clone, Debug, Default)]
pub struct CgroupDef {
    /// Its name, without slashes.
    pub name: Cow<'static, str>,
    /// The CPUs it is confined to; all when `None`.
    pub cpuset: Option<CpusetSpec>,
    /// The NUMA nodes that its memory is confined to; all when `None`.
    pub cpuset_mems: Option<BTreeSet<usize>>,
    /// The NUMA node that it is confined to with CPUs and memory, as far as the two above leave that open.
    pub numa_node: Option<usize>,
    /// What its tasks may use.
    pub limits: CgroupLimits,
    /// What holds for all its workers.
    pub defaults: WorkSpec,
    /// Its groups of workers.
    pub works: Vec<WorkSpec>,
    /// External programs that run in it.
    pub payloads: Vec<&'static Payload>,
    /// Whether `work_type_override` may replace what its workers do.
    pub swappable: bool,
}

impl CgroupDef {
    /// A cgroup of this name with default workers.
    pub fn named(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Confines it to CPUs.
    pub fn with_cpuset(mut self, cpuset: CpusetSpec) -> Self {
        self.cpuset = Some(cpuset);
        self
    }

    /// Confines its memory to NUMA nodes.
    pub fn cpuset_mems(mut self, nodes: impl IntoIterator<Item = usize>) -> Self {
        self.cpuset_mems = Some(nodes.into_iter().collect());
        self
    }

    /// Confines it to a NUMA node, with CPUs and memory.
    pub fn numa_node(mut self, node: usize) -> Self {
        self.numa_node = Some(node);
        self
    }

    /// `cpu.max`: CPU time `quota` in each `period`.
    pub fn cpu_quota(mut self, quota: Duration, period: Duration) -> Self {
        let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.limits.cpu_max = Some(CpuMax { quota_us: Limit::At(us(quota)), period_us: us(period) });
        self
    }

    /// `cpu.max` as percent of one CPU, over periods of 100 ms.
    pub fn cpu_quota_pct(mut self, percent: u64) -> Self {
        let quota_us = Limit::At(percent.saturating_mul(1_000));
        self.limits.cpu_max = Some(CpuMax { quota_us, period_us: 100_000 });
        self
    }

    /// `cpu.max` without a limit.
    pub fn cpu_unlimited(mut self) -> Self {
        self.limits.cpu_max = Some(CpuMax { quota_us: Limit::Unlimited, period_us: 100_000 });
        self
    }

    /// `cpu.weight`, 1 to 10000; the kernel's default is 100.
    pub fn cpu_weight(mut self, weight: u64) -> Self {
        self.limits.cpu_weight = Some(weight);
        self
    }

    /// `memory.min` in bytes.
    pub fn memory_min(mut self, bytes: u64) -> Self {
        self.limits.memory_min = Some(Limit::At(bytes));
        self
    }

    /// `memory.low` in bytes.
    pub fn memory_low(mut self, bytes: u64) -> Self {
        self.limits.memory_low = Some(Limit::At(bytes));
        self
    }

    /// `memory.high` in bytes.
    pub fn memory_high(mut self, bytes: u64) -> Self {
        self.limits.memory_high = Some(Limit::At(bytes));
        self
    }

    /// `memory.max` in bytes.
    pub fn memory_max(mut self, bytes: u64) -> Self {
        self.limits.memory_max = Some(Limit::At(bytes));
        self
    }

    /// `memory.max` and `memory.high` without a limit.
    pub fn memory_unlimited(mut self) -> Self {
        self.limits.memory_max = Some(Limit::Unlimited);
        self.limits.memory_high = Some(Limit::Unlimited);
        self
    }

    /// `memory.swap.max` in bytes.
    pub fn memory_swap_max(mut self, bytes: u64) -> Self {
        self.limits.memory_swap_max = Some(Limit::At(bytes));
        self
    }

    /// `io.weight`, 1 to 10000; the kernel's default is 100.
    pub fn io_weight(mut self, weight: u64) -> Self {
        self.limits.io_weight = Some(weight);
        self
    }

    /// `pids.max`.
    pub fn pids_max(mut self, tasks: u64) -> Self {
        self.limits.pids_max = Some(Limit::At(tasks));
        self
    }

    /// `pids.max` without a limit.
    pub fn pids_unlimited(mut self) -> Self {
        self.limits.pids_max = Some(Limit::Unlimited);
        self
    }

    /// How many workers.
    pub fn workers(mut self, count: usize) -> Self {
        self.defaults.num_workers = Some(count);
        self
    }

    /// What its workers do.
    pub fn work_type(mut self, work_type: WorkType) -> Self {
        self.defaults.work_type = Some(work_type);
        self
    }

    /// The policy of its workers.
    pub fn sched_policy(mut self, policy: SchedPolicy) -> Self {
        self.defaults.sched_policy = Some(policy);
        self
    }

    /// The CPUs that its workers ask for.
    pub fn affinity(mut self, affinity: AffinityIntent) -> Self {
        self.defaults.affinity = Some(affinity);
        self
    }

    /// The memory policy of its workers.
    pub fn mem_policy(mut self, policy: MemPolicy) -> Self {
        self.defaults.mem_policy = Some(policy);
        self
    }

    /// How the memory policy is meant.
    pub fn mpol_flags(mut self, flags: MpolFlags) -> Self {
        self.defaults.mpol_flags = Some(flags);
        self
    }

    /// The nice value of its workers, -20 to 19.
    pub fn nice(mut self, nice: i32) -> Self {
        self.defaults.nice = Some(nice);
        self
    }

    /// The command of its workers.
    pub fn comm(mut self, comm: impl Into<Cow<'static, str>>) -> Self {
        self.defaults.comm = Some(comm.into());
        self
    }

    /// Makes its workers threads of one process with this command, for each group of workers.
    pub fn pcomm(mut self, pcomm: impl Into<Cow<'static, str>>) -> Self {
        self.defaults.pcomm = Some(pcomm.into());
        self
    }

    /// The user of its workers.
    pub fn uid(mut self, uid: u32) -> Self {
        self.defaults.uid = Some(uid);
        self
    }

    /// The group of its workers.
    pub fn gid(mut self, gid: u32) -> Self {
        self.defaults.gid = Some(gid);
        self
    }

    /// Adds a group of workers.
    pub fn work(mut self, work: WorkSpec) -> Self {
        self.works.push(work);
        self
    }

    /// Adds an external program, which is started when the workers begin. A cgroup that has one, and of whose workers
    /// neither number nor work was said, has no workers.
    pub fn workload(mut self, payload: &'static Payload) -> Self {
        self.payloads.push(payload);
        self
    }

    /// Whether `work_type_override` may replace what its workers do.
    pub fn swappable(mut self, swappable: bool) -> Self {
        self.swappable = swappable;
        self
    }

    /// Its groups of workers with nothing left open. `instead` is the run's `work_type_override`, `usual_workers` the
    /// number of workers of a group that says none.
    ///
    /// An override takes the place of a swappable work type when the workers make whole groups of it.
    pub fn workloads(&self, usual_workers: usize, instead: Option<&WorkType>) -> Vec<WorkloadConfig> {
        let unsaid = self.defaults.num_workers.is_none() && self.defaults.work_type.is_none();
        let specs = if self.works.is_empty() && !self.payloads.is_empty() && unsaid {
            Vec::new()
        } else if self.works.is_empty() {
            vec![self.defaults.clone()]
        } else {
            self.works.iter().map(|work| work.clone().or(&self.defaults)).collect()
        };
        let instead = instead.filter(|_| self.swappable);
        let swapped = |mut spec: WorkSpec| {
            let swappable = spec.work_type.as_ref().is_none_or(WorkType::swappable);
            let fits =
                |work: &&WorkType| spec.num_workers.is_none_or(|workers| work.validate(workers).is_ok());
            if let Some(work) = instead.filter(|_| swappable).filter(fits) {
                spec.work_type = Some(work.clone());
            }
            spec.resolve(usual_workers)
        };
        specs.into_iter().map(swapped).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CloneMode, CustomWork, WorkerReport};

    #[test]
    fn what_a_group_leaves_open_comes_from_the_cgroup() {
        let def = CgroupDef::named("cell")
            .workers(3)
            .nice(5)
            .comm("shared")
            .work(WorkSpec::of(WorkType::YieldHeavy).nice(-1))
            .work(WorkSpec::default().workers(7).pcomm("leader").affinity(AffinityIntent::SingleCpu));
        let [first, second] = &def.workloads(2, None)[..] else { panic!("two groups") };
        assert_eq!((first.work_type.name(), first.num_workers, first.nice), ("YieldHeavy", 3, Some(-1)));
        assert_eq!((second.work_type.name(), second.num_workers, second.nice), ("SpinWait", 7, Some(5)));
        assert_eq!((first.clone_mode, second.clone_mode), (CloneMode::Fork, CloneMode::Thread));
        assert_eq!((first.comm.as_deref(), second.pcomm.as_deref()), (Some("shared"), Some("leader")));
        assert_eq!(second.affinity, AffinityIntent::SingleCpu);
    }

    #[test]
    fn external_programs_stand_alone_unless_workers_are_asked_for() {
        static BENCH: Payload = Payload::binary("bench", "schbench");
        let groups = |def: CgroupDef| def.workload(&BENCH).workloads(2, None).len();
        assert_eq!(groups(CgroupDef::named("cell").nice(3)), 0);
        assert_eq!(groups(CgroupDef::named("cell").workers(1)), 1);
        assert_eq!(groups(CgroupDef::named("cell").work_type(WorkType::Mixed)), 1);
        assert_eq!(groups(CgroupDef::named("cell").work(WorkSpec::default())), 1);
    }

    #[test]
    fn every_setter_for_workers_reaches_them() {
        let def = CgroupDef::named("cell")
            .work_type(WorkType::Mixed)
            .sched_policy(SchedPolicy::Batch)
            .affinity(AffinityIntent::LlcAligned)
            .mem_policy(MemPolicy::Local)
            .mpol_flags(MpolFlags::STATIC_NODES)
            .uid(1)
            .gid(2);
        let [only] = &def.workloads(4, None)[..] else { panic!("one group") };
        assert_eq!(
            (only.work_type.name(), only.num_workers, only.sched_policy),
            ("Mixed", 4, SchedPolicy::Batch)
        );
        assert_eq!((&only.affinity, &only.mem_policy), (&AffinityIntent::LlcAligned, &MemPolicy::Local));
        assert_eq!((only.mpol_flags, only.uid, only.gid), (MpolFlags::STATIC_NODES, Some(1), Some(2)));
    }

    #[test]
    fn every_setter_for_limits_reaches_its_file() {
        let ms = Duration::from_millis;
        let def = CgroupDef::named("cell")
            .cpu_quota(ms(20), ms(50))
            .cpu_weight(7)
            .memory_min(1)
            .memory_low(2)
            .memory_high(3)
            .memory_max(4)
            .memory_swap_max(5)
            .io_weight(8)
            .pids_max(9);
        let files: Vec<String> =
            def.limits.files().unwrap().into_iter().map(|(file, value)| format!("{file} {value}")).collect();
        assert_eq!(
            files,
            [
                "cpu.max 20000 50000",
                "cpu.weight 7",
                "memory.min 1",
                "memory.low 2",
                "memory.high 3",
                "memory.max 4",
                "memory.swap.max 5",
                "io.weight default 8",
                "pids.max 9",
            ]
        );
        assert_eq!(
            CgroupDef::named("cell").cpu_quota_pct(150).limits.cpu_max.unwrap().to_string(),
            "150000 100000"
        );
    }

    #[test]
    fn limits_that_the_kernel_refuses_are_named() {
        let says = |def: CgroupDef| def.limits.files().unwrap_err().to_string();
        let (us, s) = (Duration::from_micros, Duration::from_secs);
        assert_eq!(
            says(CgroupDef::named("c").cpu_weight(10_001)),
            "cpu.weight = 10001 is outside 1 to 10000"
        );
        assert_eq!(says(CgroupDef::named("c").io_weight(0)), "io.weight = 0 is outside 1 to 10000");
        assert!(says(CgroupDef::named("c").cpu_quota(us(10), us(2000))).contains("quota of cpu.max = 10"));
        assert!(says(CgroupDef::named("c").cpu_quota(s(1), s(2))).contains("period of cpu.max = 2000000"));
    }

    #[test]
    fn an_override_replaces_what_is_swappable_and_fits() {
        let own: CustomWork = |_| WorkerReport::default();
        let def = CgroupDef::named("cell")
            .swappable(true)
            .work(WorkSpec::default())
            .work(WorkSpec::default().workers(3))
            .work(WorkSpec::of(WorkType::custom("own", own)));
        let pairs = WorkType::pipe_io(1);
        let names = |def: &CgroupDef| -> Vec<(&str, usize)> {
            let workloads = def.workloads(3, Some(&pairs));
            workloads.iter().map(|config| (config.work_type.name(), config.num_workers)).collect()
        };
        assert_eq!(names(&def), [("PipeIo", 4), ("SpinWait", 3), ("own", 3)]);
        assert_eq!(names(&def.swappable(false)), [("SpinWait", 3), ("SpinWait", 3), ("own", 3)]);
    }
}
