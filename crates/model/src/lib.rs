//! The vocabulary of ktstr as plain data.
//!
//! Nothing in this crate does I/O. A test author's declarations ([`Scheduler`], [`TestSpec`]), what the harness
//! sends to a guest ([`RunOrder`]), what comes back ([`RunReport`]) and how it is judged ([`Verdict`]) are all here,
//! so that every other crate speaks of the same things by the same names.

mod affinity;
mod assert;
mod assert_result;
mod backdrop;
mod bpf_objects;
mod cause;
mod cgroup_def;
mod cgroup_limits;
mod cgroup_name;
mod constraints;
mod cpu_set;
mod cpuset_spec;
mod digest;
mod duration;
mod hold;
mod host_noise;
mod mem_policy;
mod mode;
mod near_miss;
mod op;
mod order;
mod payload;
mod perturbation;
mod preset;
mod random;
mod report;
mod run_result;
mod sched_policy;
mod scheduler;
mod spec;
mod stimulus;
mod switch_line;
mod topology;
mod variation;
mod work_spec;
mod work_type;
mod worker_report;

pub use affinity::AffinityIntent;
pub use assert::Assert;
pub use assert_result::{AssertDetail, AssertResult, DetailKind};
pub use backdrop::Backdrop;
pub use bpf_objects::{BpfMap, BpfObjects, BpfProgram, VERIFIED_INSNS_LIMIT};
pub use cause::{Cause, Verdict};
pub use cgroup_def::CgroupDef;
pub use cgroup_limits::{CgroupLimitError, CgroupLimits, CpuMax, Limit};
pub use cgroup_name::{CgroupNameError, cgroup_name, cgroup_parent, shown_name};
pub use constraints::{ConstraintsChoice, TopologyConstraints};
pub use cpu_set::{CpuSet, CpuSetError};
pub use cpuset_spec::CpusetSpec;
pub use digest::Digest;
pub use duration::format_ns;
pub use hold::HoldSpec;
pub use host_noise::{BusyProcess, HostNoise};
pub use mem_policy::{MemPolicy, MpolFlags};
pub use mode::{Mode, ModeChoice, UnknownMode};
pub use near_miss::near_miss;
pub use op::{Name, Op};
pub use order::{PayloadOrder, RunOrder, SchedulerLaunch, SchedulerOrder};
pub use payload::{
    ExpectedExit, Metric, MetricCheck, MetricSource, MetricValue, Payload, PayloadEnd, PayloadReport,
    Polarity,
};
pub use perturbation::{NiceChange, Outage, Perturbation, Stall};
pub use preset::{PRESETS, Preset};
pub use random::SplitMix64;
pub use report::{Cleanup, ExitHow, GuestFailure, GuestFrame, RunReport, SchedulerReport};
pub use run_result::RunResult;
pub use sched_policy::SchedPolicy;
pub use scheduler::{ConfigFileDef, Scheduler, SchedulerSpec, Sysctl};
pub use spec::{TestSpec, TopologyChoice};
pub use stimulus::Stimulus;
pub use switch_line::{SwitchLine, SwitchLineError};
pub use topology::{MAX_CPUS, Topology, TopologyError};
pub use variation::Variation;
pub use work_spec::{CloneMode, WorkSpec, WorkloadConfig};
pub use work_type::{
    AluWidth, CustomWork, FutexLockMode, Phase, UnknownWorkType, WakeMechanism, WorkType, WorkTypeError,
};
pub use worker_report::{
    Allowance, Gap, Migration, Schedstat, TimeSample, WorkerEvent, WorkerExit, WorkerReport,
};
