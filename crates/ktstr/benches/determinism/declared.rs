//! The tests that clones run: one workload under several schedulers. `#[ktstr_test]` would vanish outside test builds, so
//! they are registered by hand.

use anyhow::Result;
use ktstr::__private::{TestEntry, TestSpec, linkme, process_entry};
use ktstr::prelude::*;

static MY_SCHED: Scheduler = Scheduler::new("my_sched")
    .binary(SchedulerSpec::Discover("scx_my_sched"))
    .sched_args(&["--exit-dump-len", "1048576"]);
static BPFLAND: Scheduler = Scheduler::new("bpfland").binary(SchedulerSpec::Discover("scx_bpfland"));
static COSMOS: Scheduler = Scheduler::new("cosmos").binary(SchedulerSpec::Discover("scx_cosmos"));

#[used]
#[unsafe(link_section = ".init_array")]
static ENTRY: extern "C" fn() = process_entry;

/// Spinning, bursts, writes, yields and pipes: everything that a worker can do to a scheduler, more or less.
const fn mixed(name: &'static str, spec: TestSpec) -> TestEntry {
    let body = |ctx: &Ctx| -> Result<AssertResult> { scenarios::mixed_workloads(ctx) };
    TestEntry::new(TestSpec { name, ..spec }, body)
}

macro_rules! tests {
    ($($entry:ident = $name:literal under $scheduler:expr;)*) => {$(
        #[linkme::distributed_slice(ktstr::KTSTR_TESTS)]
        #[linkme(crate = linkme)]
        static $entry: TestEntry =
            mixed($name, TestSpec { scheduler: $scheduler, ..TestSpec::new($name, module_path!()) });
    )*};
}

tests! {
    ON_EEVDF = "eevdf" under &Scheduler::EEVDF;
    ON_EXAMPLE = "example" under &MY_SCHED;
    ON_BPFLAND = "bpfland" under &BPFLAND;
    ON_COSMOS = "cosmos" under &COSMOS;
}
