//! Wording that all checks share.

use ktstr_model::{AssertDetail, DetailKind, WorkerExit, WorkerReport};

/// Names a worker: `worker 3 of cell_0 (pid 218)`.
pub(crate) fn name(worker: &WorkerReport) -> String {
    match worker.cgroup.as_str() {
        "" => format!("worker {} outside of the test's cgroups (pid {})", worker.index, worker.pid),
        cgroup => format!("worker {} of {cgroup} (pid {})", worker.index, worker.pid),
    }
}

/// Names a cgroup.
pub(crate) fn cgroup_name(cgroup: &str) -> &str {
    if cgroup.is_empty() { "the root cgroup" } else { cgroup }
}

/// A violation seen on `worker`; the caller adds where and when it was [`seen`](AssertDetail::seen), and what was
/// [`measured`](AssertDetail::measured).
pub(crate) fn violation(kind: DetailKind, worker: &WorkerReport, message: String) -> AssertDetail {
    AssertDetail {
        cgroup: Some(worker.cgroup.clone()),
        worker: Some(worker.index),
        ..AssertDetail::new(kind, message)
    }
}

/// Whether the worker's figures cover the whole run. Those of a worker that died or could not go on do not, and that is a
/// failure already.
pub(crate) fn ran_to_the_end(worker: &&WorkerReport) -> bool {
    !matches!(worker.exit, WorkerExit::Died(_) | WorkerExit::Failed(_))
}
