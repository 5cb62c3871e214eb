//! By what failures are told apart: not by their figures, but by what went wrong and where.

use std::fmt;

use ktstr_model::{AssertDetail, Cause, DetailKind, Verdict};
use serde::{Deserialize, Serialize};

/// Frames of a backtrace that count; deeper ones say how the kernel came there.
const FRAMES: usize = 6;

/// What two failures have in common when they are the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Signature {
    /// The verdict's word.
    verdict: String,
    /// The cause's word.
    cause: String,
    /// The kinds of the violated checks, and what those of a test's own say, without figures; else the headline without
    /// figures.
    what: String,
    /// Where the scheduler was when the kernel ejected it, innermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    backtrace: Vec<String>,
}

impl Signature {
    /// The signature of a run that ended so. `scheduler_log` may hold the dump of an ejected scheduler.
    pub fn new(cause: Cause, headline: &str, violated: &[AssertDetail], scheduler_log: &str) -> Self {
        let what = if cause == Cause::CheckViolated && !violated.is_empty() {
            let mut parts: Vec<String> = violated.iter().map(what_was_violated).collect();
            parts.sort();
            parts.dedup();
            parts.join(", ")
        } else {
            without_figures(headline.lines().next().unwrap_or_default())
        };
        let backtrace = if cause.verdict() == Verdict::Fail { backtrace(scheduler_log) } else { Vec::new() };
        Self { verdict: cause.verdict().to_string(), cause: format!("{cause:?}"), what, backtrace }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.verdict, self.what)?;
        match self.backtrace.first() {
            Some(frame) => write!(f, " (at {frame})"),
            None => Ok(()),
        }
    }
}

/// The kind of a check. A test's own ones are all of one kind, and only their messages tell them apart.
fn what_was_violated(detail: &AssertDetail) -> String {
    match detail.kind {
        DetailKind::Custom => without_figures(detail.message.lines().next().unwrap_or_default()),
        kind => format!("{kind:?}").to_lowercase(),
    }
}

/// Each run of digits, with the point in it, becomes one `#`; so does a number in hexadecimal.
fn without_figures(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        out.push_str(&rest[..at]);
        out.push('#');
        rest = match rest[at..].strip_prefix("0x") {
            Some(digits) => digits.trim_start_matches(|c: char| c.is_ascii_hexdigit()),
            None => after_number(&rest[at..]),
        };
    }
    out.push_str(rest);
    out
}

fn after_number(text: &str) -> &str {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let rest = &text[digits(text)..];
    match rest.strip_prefix('.') {
        Some(fraction) if fraction.starts_with(|c: char| c.is_ascii_digit()) => &fraction[digits(fraction)..],
        _ => rest,
    }
}

/// The functions of the backtrace in a scheduler's dump, whose lines read `  scx_x+0x12/0x34`.
fn backtrace(scheduler_log: &str) -> Vec<String> {
    let lines = scheduler_log.lines().skip_while(|line| !line.trim_end().eq_ignore_ascii_case("backtrace:"));
    let frames = lines.skip(1).take_while(|line| line.contains("+0x"));
    frames.filter_map(|line| Some(line.trim().split_once("+0x")?.0.to_owned())).take(FRAMES).collect()
}

#[cfg(test)]
mod tests {
    use ktstr_model::AssertResult;
    use proptest::prelude::*;

    use super::*;

    fn violation(kind: DetailKind, message: &str) -> AssertDetail {
        AssertDetail { kind, ..AssertResult::fail_msg(message).details.remove(0) }
    }

    fn died(headline: &str, log: &str) -> Signature {
        Signature::new(Cause::SchedulerDied, headline, &[], log)
    }

    #[test]
    fn figures_do_not_tell_failures_apart() {
        let one = died("runnable task stall: x: cell_0/3[218] failed to run for 3.168s", "");
        assert_eq!(one, died("runnable task stall: x: cell_1/0[9] failed to run for 4s", ""));
        assert_eq!(one.to_string(), "fail: runnable task stall: x: cell_#/#[#] failed to run for #s");
        assert_ne!(one, died("invalid kick: CPU 0xffff1c", ""));
        assert_eq!(died("at 0xffff1c.", "").to_string(), "fail: at #.");
    }

    #[test]
    fn checks_are_told_apart_by_their_kinds() {
        let of = |kinds: &[DetailKind]| {
            let details: Vec<_> = kinds.iter().map(|kind| violation(*kind, "w 3 starved")).collect();
            Signature::new(Cause::CheckViolated, "w 3 starved", &details, "")
        };
        assert_eq!(
            of(&[DetailKind::Gap, DetailKind::Starved, DetailKind::Gap]).to_string(),
            "fail: gap, starved"
        );
        assert_ne!(of(&[DetailKind::Gap]), of(&[DetailKind::Starved]));
    }

    #[test]
    fn a_test_s_own_checks_are_told_apart_by_what_they_say() {
        let of = |message: &str| {
            Signature::new(Cause::CheckViolated, message, &[violation(DetailKind::Custom, message)], "")
        };
        assert_eq!(of("worker 3 stood still for 61 ms").to_string(), "fail: worker # stood still for # ms");
        assert_eq!(of("worker 3 stood still for 61 ms"), of("worker 1 stood still for 1.5 ms\nsee above"));
        assert_ne!(of("worker 3 stood still for 61 ms"), of("worker 3 ran twice"));
    }

    #[test]
    fn a_scheduler_s_backtrace_counts_without_offsets() {
        let log =
            "boom\nBacktrace:\n  scx_exit+0x5a/0x70\n  my_dispatch+0x1/0x2\n\nCPU states\n  other+0x1/0x2\n";
        let signature = died("error", log);
        assert_eq!(signature.backtrace, ["scx_exit", "my_dispatch"]);
        assert_eq!(signature, died("error", &log.replace("0x5a", "0x6b")));
        assert_ne!(signature, died("error", ""));
        assert_eq!(signature.to_string(), "fail: error (at scx_exit)");
    }

    proptest! {
        #[test]
        fn no_digit_is_left(text in ".*") {
            prop_assert!(!without_figures(&text).contains(|c: char| c.is_ascii_digit()));
        }

        #[test]
        fn other_numbers_in_the_same_words_are_the_same(words in "[a-z ]*", a: u32, b: u32, c in 0u32..1000) {
            let of = |n: u32, m: u32| without_figures(&format!("{words} {n}.{m} of"));
            prop_assert_eq!(of(a, c), of(b, c + 1));
        }
    }
}
