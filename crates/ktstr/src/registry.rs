//! What the declarations of a test binary, and of the crates linked into it, are collected in.

use linkme::distributed_slice;

use crate::guest::TestEntry;
use ktstr_model::Scheduler;

/// All tests declared with `#[ktstr_test]`, in no particular order.
#[distributed_slice]
pub static KTSTR_TESTS: [TestEntry];

/// All schedulers declared with `declare_scheduler!`, in no particular order.
#[distributed_slice]
pub static KTSTR_SCHEDULERS: [&'static Scheduler];
