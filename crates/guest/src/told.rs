//! What a person at a shell in the guest is told of a run, which nobody on the host judges.

use ktstr_model::{AssertResult, GuestFailure};

/// How a run went, in lines, and whether it passed.
pub(crate) fn of(result: &Result<AssertResult, GuestFailure>, scheduler_died: bool) -> (String, bool) {
    let mut lines = Vec::new();
    let mut verdict = "PASS";
    match result {
        Err(failure) => {
            lines.push(words_of(failure));
            verdict = "FAIL";
        }
        Ok(result) => {
            lines.extend(result.details.iter().map(|detail| detail.message.clone()));
            lines.extend(result.skipped.clone());
            lines.extend(result.notes.iter().map(|note| format!("note: {note}")));
            if result.is_failed() {
                verdict = "FAIL";
            } else if result.is_skipped() {
                verdict = "SKIP";
            }
        }
    }
    if scheduler_died {
        lines.push("the scheduler died while the test ran".to_owned());
        verdict = "FAIL";
    }
    let text: String = lines.iter().map(|line| format!("  {}\n", line.replace('\n', "\n  "))).collect();
    (format!("{verdict}\n{text}"), verdict != "FAIL")
}

fn words_of(failure: &GuestFailure) -> String {
    match failure {
        GuestFailure::Setup(why) => format!("the guest could not be prepared: {why}"),
        GuestFailure::SchedulerExited(how) => {
            format!("the scheduler's program ended with {how} before a scheduler was enabled")
        }
        GuestFailure::SchedulerNeverEnabled(state) => {
            format!("the kernel enabled no scheduler; its state is `{state}`")
        }
        GuestFailure::NoSchedExt => "the kernel has no sched_ext".to_owned(),
        GuestFailure::TestError(error) => format!("the test returned an error: {error}"),
        GuestFailure::TestPanic { message, location, .. } => {
            format!("the test panicked at {location}: {message}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_and_its_reasons() {
        let failed = AssertResult::fail_msg("late\nby 3 s").with_note("seen");
        assert_eq!(of(&Ok(failed), false), ("FAIL\n  late\n  by 3 s\n  note: seen\n".to_owned(), false));
        assert_eq!(of(&Ok(AssertResult::pass()), false), ("PASS\n".to_owned(), true));
        assert_eq!(of(&Ok(AssertResult::skip("no SMT")), false), ("SKIP\n  no SMT\n".to_owned(), true));
        assert!(!of(&Ok(AssertResult::pass()), true).1);
        let (text, passed) = of(&Err(GuestFailure::TestError("no luck".into())), false);
        assert_eq!((text.as_str(), passed), ("FAIL\n  the test returned an error: no luck\n", false));
    }
}
