//! What the `#[test]` function of a declared test does.

use std::panic::resume_unwind;
use std::sync::Once;

use ktstr_guest::{Ctx, TestEntry};
use ktstr_model::{AssertResult, Mode, Verdict};

use crate::plan;
use crate::render;
use crate::run::{self, Finished};
use crate::settings::Settings;
use crate::symbolise;

/// Runs a declared test and returns when it passed or was skipped.
///
/// # Panics
/// When it did neither, after printing the whole report.
pub fn run_test(entry: &'static TestEntry) {
    watch_the_runner();
    let settings = match Settings::of_this_process() {
        Ok(settings) => settings,
        Err(error) => fail(format!("BROKEN: {}\n  {error}", entry.spec.path())),
    };
    if entry.spec.host_only {
        return run_on_host(entry, &settings);
    }
    let finished = run::run(&entry.spec, &settings);
    let (text, verdict) = (tell(&finished, &settings), finished.record.verdict);
    match verdict {
        Verdict::Pass => println!("{text}"),
        Verdict::Skip if !settings.deny_skip => println!("{text}"),
        _ => fail(text),
    }
}

/// Under nextest, ends this process when nextest ends: it is in a process group of its own.
fn watch_the_runner() {
    static ONCE: Once = Once::new();
    if std::env::var_os("NEXTEST").is_some() {
        ONCE.call_once(ktstr_vm::end_with_parent);
    }
}

/// Writes the record and says how the run went.
fn tell(finished: &Finished, settings: &Settings) -> String {
    let Finished { record, judgement, evidence } = finished;
    let saved = match record.write(&settings.records, evidence.as_ref()) {
        Ok((_, saved)) => saved,
        Err(error) => {
            eprintln!("ktstr: no record was kept: {}: {error}", settings.records.display());
            None
        }
    };
    if record.verdict == Verdict::Pass {
        return render::pass(record);
    }
    let report = evidence.as_ref().and_then(|evidence| evidence.report.as_ref()?.as_ref().ok());
    let backtrace = match (report.map(render::panic_frames), std::env::current_exe()) {
        (Some(frames), Ok(binary)) if !frames.is_empty() => symbolise::backtrace(&binary, frames),
        _ => Vec::new(),
    };
    render::report(record, judgement, evidence.as_ref(), saved.as_deref(), &backtrace)
}

fn run_on_host(entry: &'static TestEntry, settings: &Settings) {
    let path = entry.spec.path();
    let problem = match (attempt_on_host(entry, settings), entry.spec.expect_err) {
        (Ok(result), false) if result.is_failed() => {
            let messages: Vec<&str> = result.details.iter().map(|detail| detail.message.as_str()).collect();
            messages.join("\n  ")
        }
        (Ok(result), _) if result.is_skipped() => {
            let reason = result.skipped.unwrap_or_default();
            if !settings.deny_skip {
                println!("SKIP: {path} (on the host)\n  {reason}");
                return;
            }
            format!("skipped, which is denied: {reason}")
        }
        (Ok(result), true) if !result.is_failed() => {
            "the test passed, but expect_err wants it to fail".to_owned()
        }
        (Err(error), false) => error,
        _ => {
            println!("PASS: {path} (on the host)");
            return;
        }
    };
    fail(format!("FAIL: {path} (on the host)\n  {problem}"));
}

fn attempt_on_host(entry: &TestEntry, settings: &Settings) -> Result<AssertResult, String> {
    let spec = &entry.spec;
    let topology = spec.resolved_topology().map_err(|error| error.to_string())?;
    let seed = spec.seed.unwrap_or(settings.seed);
    let order = plan::order(spec, topology, Mode::RealTime, seed);
    let ctx = Ctx::on_this_machine(&order).map_err(|error| error.to_string())?;
    (entry.body)(&ctx).map_err(|error| format!("the test returned an error: {error:#}"))
}

/// Ends a test that failed, as libtest and nextest understand it. The panic hook is not run: a harness's backtrace
/// would tell the reader nothing.
fn fail(text: String) -> ! {
    eprintln!("{text}");
    resume_unwind(Box::new(text))
}
