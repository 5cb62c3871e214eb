//! A run without a machine: a test with `host_only`.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use ktstr_guest::{Ctx, TestEntry};
use ktstr_model::{Cause, Mode};
use ktstr_results::Record;

use crate::judge::{self, Judgement};
use crate::payload_files::PayloadFiles;
use crate::plan;
use crate::run::{Finished, begun, finish};
use crate::scheduler_file::Places;
use crate::settings::Settings;

/// Runs a test's body in this process. The panic hook has told of a panic by then.
pub fn run_on_host(entry: &TestEntry, settings: &Settings) -> Finished {
    let spec = &entry.spec;
    let seed = settings.seed_of(spec);
    let mut record = begun(spec, settings, seed);
    record.on_host = true;
    let judgement = match context(entry, settings, seed) {
        Ok(ctx) => {
            let began = Instant::now();
            let judged = judge_body(entry, &ctx, &mut record);
            record.phases.run_ms = began.elapsed().as_secs_f64() * 1e3;
            if spec.expect_err { judge::expect_failure(judged) } else { judged }
        }
        Err(why) => Judgement::new(Cause::NotRun, why),
    };
    if settings.check_determinism {
        record.notes.push("its determinism was not checked: it has no machine".to_owned());
    }
    finish(record, judgement, None)
}

fn context(entry: &TestEntry, settings: &Settings, seed: u64) -> Result<Ctx, String> {
    let topology = entry.spec.resolved_topology().map_err(|error| format!("the test's topology: {error}"))?;
    let mut order = plan::order(&entry.spec, topology, Mode::RealTime, seed);
    let payloads = PayloadFiles::of(&entry.spec, &Places::of_this_process());
    order.work_type = settings.work_type_name();
    order.payloads = payloads.map_err(|error| error.to_string())?.on_host();
    Ctx::on_this_machine(&order).map_err(|error| error.to_string())
}

fn judge_body(entry: &TestEntry, ctx: &Ctx, record: &mut Record) -> Judgement {
    match catch_unwind(AssertUnwindSafe(|| (entry.body)(ctx))) {
        Ok(Ok(result)) => {
            record.take_payloads(&ctx.payload_reports(), &ctx.metrics());
            record.notes.clone_from(&result.notes);
            judge::judge_result(&result)
        }
        Ok(Err(error)) => Judgement::new(Cause::TestError, format!("the test returned an error: {error:#}")),
        Err(payload) => {
            Judgement::new(Cause::TestPanic, format!("the test panicked: {}", text_of(&*payload)))
        }
    }
}

/// The message of a panic.
pub(crate) fn text_of(payload: &(dyn Any + Send)) -> &str {
    let owned = || payload.downcast_ref::<String>().map(String::as_str);
    payload.downcast_ref::<&str>().copied().or_else(owned).unwrap_or("a value that is not text")
}

#[cfg(test)]
mod tests {
    use ktstr_model::{AssertResult, ModeChoice, TestSpec};
    use ktstr_results::RecordFolder;

    use super::*;
    use crate::render::{self, Beside};

    type Body = fn(&Ctx) -> anyhow::Result<AssertResult>;

    fn run(body: Body, expect_err: bool) -> Finished {
        let spec = TestSpec { host_only: true, expect_err, ..TestSpec::new("t", "tests") };
        let settings = Settings {
            kernel: None,
            cell: None,
            topology: None,
            mode: ModeChoice::Auto,
            seed: 3,
            work_type: None,
            records: RecordFolder::Fixed("unused".into()),
            commit: None,
            invocation: None,
            deadline: None,
            check_determinism: false,
            replay: None,
            deny_skip: false,
            allow_inconclusive: false,
            raw_logs: false,
        };
        run_on_host(&TestEntry::new(spec, body), &settings)
    }

    #[test]
    fn each_end_has_its_cause_and_its_words() {
        let cases: [(Body, bool, Cause, &str); 7] = [
            (|_| Ok(AssertResult::pass()), false, Cause::ChecksHeld, ""),
            (|_| Ok(AssertResult::fail_msg("late")), false, Cause::CheckViolated, "  late"),
            (|_| anyhow::bail!("no luck"), false, Cause::TestError, "  the test returned an error: no luck"),
            (|_| panic!("at {}", 7), false, Cause::TestPanic, "  the test panicked: at 7"),
            (|_| Ok(AssertResult::skip("no SMT")), false, Cause::TestSkipped, "  no SMT"),
            (|_| anyhow::bail!("no luck"), true, Cause::ExpectedError, ""),
            (|_| Ok(AssertResult::pass()), true, Cause::UnexpectedPass, "expect_err wants it to fail"),
        ];
        for (body, expect_err, cause, words) in cases {
            let Finished { record, judgement, .. } = run(body, expect_err);
            assert_eq!(record.cause, cause);
            assert_eq!((record.verdict, record.seed, record.on_host), (cause.verdict(), 3, true));
            let printed = render::for_stream(
                render::report(&record, &judgement, Beside::default()),
                &std::fs::File::open("/dev/null").unwrap(),
            );
            let first = format!("{}: t (on the host)\n", cause.verdict().to_string().to_uppercase());
            assert!(printed.starts_with(&first) && printed.contains(words), "{printed}");
        }
    }

    #[test]
    fn a_body_that_cannot_be_run_is_broken() {
        static SCHEDULER: ktstr_model::Scheduler = ktstr_model::Scheduler::new("s").cgroup_parent("../x");
        let spec = TestSpec { host_only: true, scheduler: &SCHEDULER, ..TestSpec::new("t", "tests") };
        let body: Body = |_| Ok(AssertResult::pass());
        let settings = Settings::of_this_process().unwrap();
        let finished = run_on_host(&TestEntry::new(spec, body), &settings);
        assert_eq!(finished.record.cause, Cause::NotRun);
        assert!(finished.record.headline.contains("`../x`"), "{}", finished.record.headline);
    }
}
