//! The names by which a test binary's schedulers are asked for.

use ktstr_model::{Scheduler, SchedulerSpec};

use crate::cells::Declared;

/// Every scheduler that is started, by its name. One that is declared twice in the same words is one; others of the same
/// name get a number.
pub(crate) fn named_schedulers(declared: &Declared) -> Vec<(String, &'static Scheduler)> {
    let is_started = |scheduler: &&Scheduler| scheduler.binary != SchedulerSpec::Eevdf;
    let mut schedulers: Vec<_> = declared.schedulers.iter().copied().filter(is_started).collect();
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
