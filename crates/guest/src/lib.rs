//! What runs inside a guest.
//!
//! Two programs: the boot agent ([`AGENT`]), which is PID 1 of every template and knows nothing of tests, and the test
//! process, which is the test binary itself. The latter comes in at [`run_in_guest`]: it reads its order from the
//! channel, brings the scheduler up, runs the test's body with a [`Ctx`], and writes a report. A body makes cgroups
//! ([`Cgroups`]) and workers ([`WorkloadHandle`]), or leaves that to one of the [`scenarios`]. In a shell, [`by_hand`] starts
//! test processes.

mod agent;
mod bpf;
pub mod by_hand;
mod cgroup;
mod channel;
mod clock;
mod context;
mod device_links;
mod entry;
mod error;
mod guest_disk;
mod hotplug;
mod kernel_log;
mod kernel_random;
mod ledger;
mod load_point;
mod memory;
mod output;
mod panic;
mod payload;
mod perturb;
mod process;
mod rehearsal;
pub mod scenarios;
mod scheduler;
mod steps;
#[path = "../agent/stillness.rs"]
mod stillness;
mod sysctl;
#[path = "../agent/time_stamp.rs"]
mod time_stamp;
mod topology;
mod worker;

pub use agent::AGENT;
pub use cgroup::{Cgroup, CgroupGroup, Cgroups, remove_leftovers};
pub use context::{Ctx, HoldEnd};
pub use entry::{LOAD_ONLY, PostVm, TestBody, TestEntry, as_after_main_began, in_guest, run_in_guest};
pub use error::GuestError;
pub use payload::{PayloadHandle, PayloadOutcome, PayloadRun};
pub use rehearsal::refused_plan;
pub use steps::{
    Setup, Step, execute_defs, execute_scenario, execute_scenario_with, execute_steps, execute_steps_with,
};
pub use topology::{Llc, NumaNode, TestTopology};
pub use worker::WorkloadHandle;
