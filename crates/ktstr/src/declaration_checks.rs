//! What the macros leave to constant evaluation, because it depends on a scheduler that is declared elsewhere.

use ktstr_model::{ConstraintsChoice, Scheduler, TopologyChoice, TopologyConstraints};

/// For a test that names dimensions: stops compilation when they do not fit those it inherits.
#[track_caller]
pub const fn topology_fits(choice: &TopologyChoice, scheduler: &Scheduler) {
    choice.resolve_const(&scheduler.topology);
}

/// For a test that names constraints: stops compilation when no topology can meet them and those it inherits.
#[track_caller]
pub const fn constraints_fit(choice: &ConstraintsChoice, scheduler: &Scheduler) {
    checked_constraints(choice.resolve(&scheduler.constraints));
}

/// The same constraints: stops compilation when no topology can meet them.
#[track_caller]
pub const fn checked_constraints(constraints: TopologyConstraints) -> TopologyConstraints {
    match constraints.contradiction() {
        Some(contradiction) => panic!("{}", contradiction),
        None => constraints,
    }
}

/// For a test with `config`: stops compilation when its scheduler could not be given one.
#[track_caller]
pub const fn takes_inline_config(scheduler: &Scheduler) {
    assert!(
        scheduler.config_file_def.is_some(),
        "`config` needs a scheduler that says how it takes one: add `config_file_def` to its declaration"
    );
}

/// For a test with `extra_sched_args`: stops compilation when its scheduler is no program.
#[track_caller]
pub const fn takes_arguments(scheduler: &Scheduler) {
    assert!(
        scheduler.is_bpf(),
        "`extra_sched_args` needs a scheduler that is a program: name one with `scheduler = ..`"
    );
}

/// For a test with `max_slow_tier_ratio`: stops compilation when its machine has nothing that it speaks of.
#[track_caller]
pub const fn has_memory_only_nodes(scheduler: &Scheduler) {
    assert!(
        scheduler.topology.memory_only_nodes() > 0,
        "`max_slow_tier_ratio` needs a machine with nodes of memory only: name a scheduler whose declaration has \
         `memory_only_nodes`"
    );
}
