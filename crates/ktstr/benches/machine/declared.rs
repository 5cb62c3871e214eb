//! The tests that the benchmarks' clones run. `#[ktstr_test]` would vanish outside test builds, so they are registered
//! by hand.

use anyhow::Result;
use ktstr::__private::{TestEntry, TestSpec, TopologyChoice, linkme, process_entry};
use ktstr::prelude::*;

static MY_SCHED: Scheduler = Scheduler::new("my_sched")
    .binary(SchedulerSpec::Discover("scx_my_sched"))
    .sched_args(&["--exit-dump-len", "1048576"])
    .topology(1, 2, 4, 1);

const FOUR_CPUS: TopologyChoice =
    TopologyChoice { numa_nodes: Some(1), llcs: Some(2), cores: Some(2), threads: Some(1) };

#[used]
#[unsafe(link_section = ".init_array")]
static ENTRY: extern "C" fn() = process_entry;

/// The example's `basic_steady`, for one second.
#[linkme::distributed_slice(ktstr::KTSTR_TESTS)]
#[linkme(crate = linkme)]
pub static STEADY: TestEntry = TestEntry::new(
    TestSpec { scheduler: &MY_SCHED, duration_s: 1, ..TestSpec::new("steady", module_path!()) },
    |ctx: &Ctx| -> Result<AssertResult> { scenarios::steady(ctx) },
);

/// Stays at its first line: what starting a clone takes, and what it weighs, without any work.
#[linkme::distributed_slice(ktstr::KTSTR_TESTS)]
#[linkme(crate = linkme)]
pub static WAITS: TestEntry = TestEntry::new(
    TestSpec { topology: FOUR_CPUS, ..TestSpec::new("waits", module_path!()) },
    |_: &Ctx| -> Result<AssertResult> {
        loop {
            std::hint::spin_loop();
        }
    },
);
