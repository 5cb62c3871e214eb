//! The verifier's log of a program that was rejected.

use ktstr_verifier::{collapse, program_logs};

use crate::evidence::Evidence;
use crate::render::section;

/// Adds the verifier's logs among the scheduler's output to what a person is told: with loops collapsed, or every line.
pub(super) fn describe(text: &mut String, evidence: &Evidence, raw: bool) {
    for log in program_logs(&evidence.scheduler_log) {
        let program = log.program.unwrap_or("a program");
        if raw {
            section(text, &format!("the verifier's log of {program}"), log.text.lines());
        } else {
            let title = format!("the verifier's log of {program}, loops collapsed (--raw prints every line)");
            let collapsed: String = collapse(log.text.lines()).map(|piece| piece.to_string()).collect();
            section(text, &title, collapsed.lines());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_is_every_line_and_otherwise_loops_are_collapsed() {
        let printed = include_str!("../../../../../fixtures/recorded/after-nested-loops-7.0.13.stderr.txt");
        let evidence = Evidence { scheduler_log: printed.to_owned(), ..Evidence::default() };
        let (mut raw, mut collapsed) = (String::new(), String::new());
        describe(&mut raw, &evidence, true);
        describe(&mut collapsed, &evidence, false);
        let logged = program_logs(printed)[0].text;
        let shown: Vec<&str> = raw.lines().skip(1).map(|line| &line[4..]).collect();
        assert_eq!(shown, logged.lines().collect::<Vec<_>>());
        assert!(collapsed.lines().count() < raw.lines().count());
        assert!(collapsed.contains("[a loop of 4 passes; the first:]"), "{collapsed}");
    }
}
