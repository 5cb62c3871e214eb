//! Tests of Linux CPU schedulers on real kernels.
//!
//! A test author declares a scheduler with [`declare_scheduler!`] and writes tests with [`#[ktstr_test]`](ktstr_test);
//! `use ktstr::prelude::*` brings what both need:
//!
//! ```
//! use ktstr::declare_scheduler;
//! use ktstr::prelude::*;
//!
//! declare_scheduler!(MY_SCHED, {
//!     name = "my_sched",
//!     binary = "scx_my_sched",
//!     topology = (1, 2, 4, 1),
//!     kernels = ["6.14", "6.15..=7.0"],
//!     sched_args = ["--exit-dump-len", "1048576"],
//! });
//!
//! #[ktstr_test(scheduler = MY_SCHED)]
//! fn basic_steady(ctx: &Ctx) -> Result<AssertResult> {
//!     scenarios::steady(ctx)
//! }
//!
//! #[ktstr_test(scheduler = MY_SCHED, threads = 2)]
//! fn smt_steady(ctx: &Ctx) -> Result<AssertResult> {
//!     scenarios::steady(ctx)
//! }
//! # fn main() {
//! #     let names: Vec<_> = ktstr::KTSTR_SCHEDULERS.iter().map(|scheduler| scheduler.name).collect();
//! #     assert_eq!(names, ["my_sched"]);
//! # }
//! ```
//!
//! The body runs inside a virtual machine, in the same binary that `cargo test` built: the *process entry* runs before
//! `main` in every test binary and, when it finds itself in a guest, runs the one test it was sent for.
//!
//! The modules of this crate hold no code: they show the items of the crates below it in the places where test authors
//! look for them.

// The macros emit paths that begin with `::ktstr`, in this crate's own tests too.
extern crate self as ktstr;

mod declaration_checks;
mod process_entry;
mod registry;

use {ktstr_explore as explore, ktstr_guest as guest, ktstr_harness as harness};

pub use ktstr_macros::{Payload, declare_scheduler, ktstr_test};
pub use registry::{KTSTR_SCHEDULERS, KTSTR_TESTS};

/// Everything that a file of tests needs.
pub mod prelude {
    pub use crate::assert::{Assert, AssertCgroup, AssertResult};
    pub use crate::scenario::ops::{
        Backdrop, CgroupDef, CpusetSpec, HoldSpec, Op, Setup, Step, execute_defs, execute_scenario,
        execute_scenario_with, execute_steps, execute_steps_with,
    };
    pub use crate::scenario::{Cgroup, CgroupGroup, Ctx, scenarios};
    pub use crate::test_support::{
        Metric, MetricCheck, Payload, RunResult, Scheduler, SchedulerSpec, Sysctl, TopologyConstraints,
    };
    pub use crate::topology::{CpuSet, TestTopology};
    pub use crate::workload::{
        AffinityIntent, MemPolicy, MpolFlags, Phase, SchedPolicy, WorkSpec, WorkType, WorkerReport,
        WorkloadConfig, WorkloadHandle,
    };
    pub use crate::{Payload, declare_scheduler, ktstr_test};
    pub use anyhow::{self, Result};
}

/// What a test's body runs in, and ready-made bodies.
pub mod scenario {
    pub use crate::guest::scenarios::{collect_all, default_workload, setup_cgroups, spawn_diverse};
    pub use crate::guest::{
        Cgroup, CgroupGroup, Cgroups, Ctx, HoldEnd, PayloadHandle, PayloadOutcome, PayloadRun, scenarios,
    };
    pub use ktstr_model::Stimulus;

    /// What scenarios are made of.
    pub mod ops {
        pub use crate::guest::{
            Setup, Step, execute_defs, execute_scenario, execute_scenario_with, execute_steps,
            execute_steps_with,
        };
        pub use ktstr_model::{Backdrop, CgroupDef, CpusetSpec, HoldSpec, Op};
    }
}

/// Checks, and what they find.
pub mod assert {
    pub use ktstr_checks::AssertCgroup;
    pub use ktstr_model::{Assert, AssertDetail, AssertResult, DetailKind};
}

/// What workers do and report.
pub mod workload {
    pub use crate::guest::WorkloadHandle;
    pub use ktstr_model::{
        AffinityIntent, Allowance, AluWidth, CloneMode, CustomWork, FutexLockMode, Gap, MemPolicy, Migration,
        MpolFlags, Phase, SchedPolicy, Schedstat, TimeSample, WakeMechanism, WorkSpec, WorkType, WorkerEvent,
        WorkerExit, WorkerReport, WorkloadConfig,
    };
}

/// The guest's CPUs as a test's body sees them.
pub mod topology {
    pub use crate::guest::{Llc, NumaNode, TestTopology};
    pub use ktstr_model::CpuSet;
}

/// What declarations are made of.
pub mod test_support {
    pub use crate::guest::{PostVm, TestEntry};
    pub use ktstr_model::{
        Cause, Cleanup, ConfigFileDef, ExpectedExit, Metric, MetricCheck, MetricSource, MetricValue,
        ModeChoice, Payload, PayloadEnd, PayloadReport, Polarity, RunReport, RunResult, Scheduler,
        SchedulerSpec, Sysctl, TestSpec, Topology, TopologyChoice, TopologyConstraints, Verdict,
    };
}

/// What the macros' output refers to. Not for use by hand: it changes with the macros.
#[doc(hidden)]
pub mod __private {
    pub use crate::declaration_checks::{
        checked_constraints, constraints_fit, has_memory_only_nodes, takes_arguments, takes_inline_config,
        topology_fits,
    };
    pub use crate::guest::TestEntry;
    pub use crate::harness::run_test;
    pub use crate::process_entry::process_entry;
    pub use ktstr_model::{
        Assert, ConfigFileDef, ConstraintsChoice, ExpectedExit, Metric, MetricCheck, ModeChoice, Payload,
        Scheduler, SchedulerSpec, TestSpec, Topology, TopologyChoice,
    };
    pub use linkme;
}
