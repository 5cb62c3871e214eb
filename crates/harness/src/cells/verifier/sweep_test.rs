//! What is swept: the schedulers, and the test that starts one.

use ktstr_model::{Scheduler, TestSpec};

use super::super::{Declared, by_name};
use crate::scheduler_names::named_schedulers;

/// Every BPF scheduler under the name that it has in the names of cells.
pub(super) fn swept(declared: &Declared) -> Vec<(String, &'static Scheduler)> {
    named_schedulers(declared).into_iter().filter(|(_, scheduler)| scheduler.is_bpf()).collect()
}

/// The test that starts the scheduler and does nothing else: with the declaration's arguments alone. A configuration that
/// each test gives is that of the first test that does; the second value is that test's name.
pub(crate) fn spec_for(declared: &Declared, scheduler: &'static Scheduler) -> (TestSpec, Option<String>) {
    let tests = by_name(declared);
    let own = || tests.iter().filter(|(_, entry)| entry.spec.scheduler == scheduler);
    let configured = own().find(|(_, entry)| entry.spec.config.is_some());
    let place = own().next().or(tests.first()).map(|(_, entry)| &entry.spec);
    let module = place.map_or("", |spec| spec.module);
    let spec = TestSpec {
        manifest_dir: place.map_or("", |spec| spec.manifest_dir),
        scheduler,
        config: configured.and_then(|(_, entry)| entry.spec.config),
        duration_s: 1,
        read_bpf: true,
        ..TestSpec::new(TestSpec::LOAD_ONLY, module.split("::").next().unwrap_or_default())
    };
    (spec, configured.map(|(name, _)| name.clone()))
}
