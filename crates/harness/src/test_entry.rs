//! What the `#[test]` function of a declared test does.

use std::io;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Once;

use ktstr_guest::TestEntry;
use ktstr_model::{RunReport, Verdict};
use ktstr_results::Record;
use ktstr_results::replay::ReplayToken;

use crate::evidence::Evidence;
use crate::host_run::run_on_host;
use crate::render::{self, Beside, Started};
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
    let mut finished = match entry.spec.host_only {
        true => run_on_host(entry, &settings),
        false => run::run(entry, &settings),
    };
    let text = tell(&mut finished, &settings);
    match failure_of(finished.record.verdict, &text, &settings) {
        None => println!("{text}"),
        Some(failure) => fail(failure),
    }
}

/// What a run that ended so says as a failure; `None` when it is none.
pub(crate) fn failure_of(verdict: Verdict, text: &str, settings: &Settings) -> Option<String> {
    let failure = match verdict {
        Verdict::Pass => return None,
        Verdict::Skip if !settings.deny_skip => return None,
        Verdict::Skip => format!("{text}  which counts as a failure here: KTSTR_DENY_SKIP is set"),
        Verdict::Inconclusive if settings.allow_inconclusive => return None,
        Verdict::Inconclusive => format!(
            "{text}  which counts as a failure: run it again on a quieter host, or allow it with \
             `cargo ktstr test --allow-inconclusive` or KTSTR_ALLOW_INCONCLUSIVE=1"
        ),
        _ => text.to_owned(),
    };
    Some(if under_nextest() { format!("{}\n{failure}", nextest_message(&failure)) } else { failure })
}

/// The line that nextest takes for a failure's message, in JUnit's report too: one on stderr that begins with `Error: `.
/// The name is beside it there, so it has the verdict and the reason, from the first two lines of the report.
fn nextest_message(report: &str) -> String {
    let report = render::plain(report);
    let mut lines = report.lines();
    let verdict = lines.next().and_then(|line| line.split(':').next()).unwrap_or_default();
    format!("Error: {verdict}: {}", lines.next().unwrap_or_default().trim())
}

fn under_nextest() -> bool {
    std::env::var_os("NEXTEST").is_some()
}

/// Under nextest, ends this process when nextest ends: it is in a process group of its own.
pub(crate) fn watch_the_runner() {
    static ONCE: Once = Once::new();
    if under_nextest() {
        ONCE.call_once(ktstr_vm::end_with_parent);
    }
}

/// Writes the record and says how the run went.
pub(crate) fn tell(finished: &mut Finished, settings: &Settings) -> String {
    let Finished { record, judgement, evidence } = finished;
    let report = evidence.as_ref().and_then(|evidence| evidence.report.as_ref()?.as_ref().ok());
    let saved = keep(record, report, evidence.as_ref(), settings);
    if record.verdict == Verdict::Pass {
        return render::for_stream(render::pass(record), &io::stdout());
    }
    let backtrace = match (report.map(render::panic_frames), std::env::current_exe()) {
        (Some(frames), Ok(binary)) if !frames.is_empty() => symbolise::backtrace(&binary, frames),
        _ => Vec::new(),
    };
    let beside = Beside {
        evidence: evidence.as_ref(),
        saved: saved.as_deref(),
        backtrace: &backtrace,
        repeat: &render::command(record, &Started::of_this_process()),
    };
    render::for_stream(render::report(record, judgement, beside), &io::stderr())
}

/// Writes the record with its replay token, and returns the folder of the logs if they were kept. Without a place to write
/// to the verdict stands.
fn keep(
    record: &mut Record,
    report: Option<&RunReport>,
    evidence: Option<&Evidence>,
    settings: &Settings,
) -> Option<PathBuf> {
    let folder = settings.records.of(record);
    let token = ReplayToken::of(record);
    record.replay_token = token.as_ref().map(|token| token.id);
    let logs = evidence.map_or_else(Vec::new, Evidence::logs);
    let keep_logs = record.verdict != Verdict::Pass || settings.replay.is_some();
    let logs = if keep_logs { &logs[..] } else { &[] };
    let written = record.write(&folder, ktstr_results::Evidence { report, logs }).and_then(|written| {
        token.map_or(Ok(()), |token| token.write(&folder).map(drop))?;
        Ok(written)
    });
    match written {
        Ok(written) => written.logs,
        Err(error) => {
            eprintln!("ktstr: no record was kept: {}: {error}", folder.display());
            // Its file is not there to be replayed from.
            record.replay_token = None;
            None
        }
    }
}

/// Ends a test that failed, as libtest and nextest understand it. The panic hook is not run: a harness's backtrace
/// would tell the reader nothing.
fn fail(text: String) -> ! {
    eprintln!("{text}");
    resume_unwind(Box::new(text))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ktstr_model::{Cause, Digest, Mode, RunOrder, Topology};
    use ktstr_results::{Identities, Plan, RecordFolder, RecordKernel};

    use super::*;
    use crate::judge::Judgement;

    /// A deterministic run that failed.
    fn failed() -> Finished {
        let order = RunOrder::plain("t", Topology::of(1, 1, 2, 1), Mode::Deterministic);
        let kernel = RecordKernel { release: "7.3.4".into(), image: "/k".into(), sha256: "ab".repeat(32) };
        let record = Record {
            mode: Some(Mode::Deterministic),
            kernel: Some(kernel),
            plan: Some(Plan::plain(order)),
            identities: Some(Identities::default()),
            digest: Some(Digest::of(b"digest")),
            ..Record::begun("t".into(), "eevdf", 1)
        };
        run::finish(record, Judgement::new(Cause::TestError, "on purpose".to_owned()), None)
    }

    #[test]
    fn a_folder_that_cannot_be_written_loses_no_verdict_and_promises_no_replay() {
        let folder = tempfile::tempdir().unwrap();
        let told = |place: &Path| {
            let settings = Settings {
                records: RecordFolder::Fixed(place.to_owned()),
                ..Settings::of_this_process().unwrap()
            };
            tell(&mut failed(), &settings)
        };
        let kept = told(folder.path());
        assert!(kept.contains("on purpose") && kept.contains("repeat with: cargo ktstr replay"), "{kept}");
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let lost = told(&file.join("below"));
        assert!(lost.contains("on purpose") && !lost.contains("cargo ktstr replay"), "{lost}");
    }

    #[test]
    fn nextest_is_given_verdict_and_reason() {
        let report = "FAIL: inner::a (my_sched on 1n1l4c1t)\n  worker 3 starved\n  violations:\n";
        assert_eq!(nextest_message(report), "Error: FAIL: worker 3 starved");
        assert_eq!(nextest_message("BROKEN: a\n"), "Error: BROKEN: ");
    }
}
