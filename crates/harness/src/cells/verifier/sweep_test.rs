//! What is swept: the schedulers, and the test that starts one.

use ktstr_model::{Scheduler, TestSpec};

use super::super::{Declared, by_name};

/// Every BPF scheduler under the name that it has in the names of cells, by name. A scheduler that is declared twice in
/// the same words is one; others of the same name get a number.
pub(super) fn swept(declared: &Declared) -> Vec<(String, &'static Scheduler)> {
    let mut schedulers: Vec<_> =
        declared.schedulers.iter().copied().filter(|scheduler| scheduler.is_bpf()).collect();
    // The order in which they are declared depends on the linker.
    schedulers.sort_by_cached_key(|scheduler| format!("{scheduler:?}"));
    schedulers.dedup();
    let mut named: Vec<(String, &'static Scheduler)> = Vec::new();
    for scheduler in schedulers {
        let name = scheduler.name.replace('/', "-");
        let same = named.iter().filter(|(_, other)| other.name == scheduler.name).count();
        named.push((if same == 0 { name } else { format!("{name}#{}", same + 1) }, scheduler));
    }
    named
}

/// The test that starts the scheduler and does nothing else: with the declaration's arguments alone. A configuration that
/// each test gives is that of the first test that does; the second value is that test's name.
pub(in crate::cells) fn spec_for(
    declared: &Declared,
    scheduler: &'static Scheduler,
) -> (TestSpec, Option<String>) {
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
