//! TEMPORARY: stands for `ktstr-guest` and `ktstr-harness` until they are merged. Same names and signatures.
#![allow(missing_docs)]

pub mod guest {
    use ktstr_model::{AssertResult, TestSpec};

    pub struct Ctx {
        _private: (),
    }

    pub struct TestTopology {
        _private: (),
    }

    pub struct TestEntry {
        pub spec: TestSpec,
        pub body: fn(&Ctx) -> anyhow::Result<AssertResult>,
    }

    pub mod scenarios {
        use super::{AssertResult, Ctx};

        pub fn steady(_ctx: &Ctx) -> anyhow::Result<AssertResult> {
            anyhow::bail!("there are no scenarios yet")
        }
    }

    pub fn in_guest() -> bool {
        false
    }

    pub fn run_in_guest(_tests: impl Iterator<Item = &'static TestEntry>) -> ! {
        unreachable!("there are no guests yet")
    }

    impl Ctx {
        pub(super) fn on_the_host() -> Self {
            Self { _private: () }
        }
    }
}

pub mod harness {
    use super::guest::{Ctx, TestEntry};

    pub fn run_test(entry: &'static TestEntry) {
        assert!(entry.spec.host_only, "no machine can be started yet");
        let result = (entry.body)(&Ctx::on_the_host());
        assert!(result.is_ok_and(|result| !result.is_failed()) != entry.spec.expect_err);
    }
}
