//! The vocabulary of ktstr as plain data.
//!
//! Nothing in this crate does I/O. A test author's declarations ([`Scheduler`], [`TestSpec`]), what the harness
//! sends to a guest ([`RunOrder`]), what comes back ([`RunReport`]) and how it is judged ([`Verdict`]) are all here,
//! so that every other crate speaks of the same things by the same names.

mod assert;
mod assert_result;
mod cause;
mod cgroup_name;
mod cpu_set;
mod digest;
mod duration;
mod mode;
mod order;
mod report;
mod scheduler;
mod spec;
mod switch_line;
mod topology;
mod work;

pub use assert::Assert;
pub use assert_result::{AssertDetail, AssertResult, DetailKind};
pub use cause::{Cause, Verdict};
pub use cgroup_name::{CgroupNameError, cgroup_name, cgroup_parent};
pub use cpu_set::{CpuSet, CpuSetError};
pub use digest::{Digest, report_digest};
pub use duration::format_ns;
pub use mode::{Mode, ModeChoice, UnknownMode};
pub use order::{RunOrder, SchedulerLaunch, SchedulerOrder};
pub use report::{
    ExitHow, Gap, GuestFailure, GuestFrame, RunReport, SchedulerReport, WorkerEvent, WorkerExit, WorkerReport,
};
pub use scheduler::{ConfigFileDef, Scheduler, SchedulerSpec, Sysctl};
pub use spec::{TestSpec, TopologyChoice};
pub use switch_line::{SwitchLine, SwitchLineError};
pub use topology::{MAX_CPUS, Topology, TopologyError};
pub use work::WorkType;
