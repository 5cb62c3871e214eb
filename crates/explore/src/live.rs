//! The line that is alive while a campaign runs.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

use crate::groups::Tally;

/// Where nobody watches a terminal, a line comes this often.
const QUIET: Duration = Duration::from_secs(10);
/// Signatures that are shown; the summary has all.
const SHOWN: usize = 2;

/// Tells on stderr how a campaign comes on.
pub(crate) struct Live {
    terminal: bool,
    told: Instant,
    shown: bool,
}

impl Live {
    pub(crate) fn new() -> Self {
        Self { terminal: stderr().is_terminal(), told: Instant::now(), shown: false }
    }

    pub(crate) fn tell(&mut self, tally: &Tally, time: Duration, new_runs: u64) {
        if self.terminal {
            let line = cut(&line(tally, time, new_runs), width());
            // Carriage return, and erase to the end of the line.
            let _ = write!(stderr(), "\r{line}\x1b[K");
            self.shown = true;
        } else if self.told.elapsed() >= QUIET {
            self.told = Instant::now();
            eprintln!("{}", line(tally, time, new_runs));
        }
    }

    /// Says something in a line of its own, which stays.
    pub(crate) fn say(&mut self, text: &str) {
        let erase = if self.shown { "\r\x1b[K" } else { "" };
        let _ = writeln!(stderr(), "{erase}{text}");
        self.shown = false;
    }

    /// Leaves the line as it is.
    pub(crate) fn end(&self) {
        if self.shown {
            eprintln!();
        }
    }
}

/// Columns of the terminal.
fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(stderr());
    size.ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(80)
}

/// What fits on one line: of a longer one a carriage return would lead back to its last part only.
fn cut(line: &str, columns: usize) -> String {
    if line.chars().count() < columns {
        return line.to_owned();
    }
    line.chars().take(columns.saturating_sub(4)).chain("...".chars()).collect()
}

fn line(tally: &Tally, time: Duration, new_runs: u64) -> String {
    let rate = new_runs as f64 / time.as_secs_f64().max(0.001);
    let mut line = format!(
        "ktstr: {} runs, {rate:.1} runs/s, {} distinct digests, {} failures",
        tally.runs(),
        tally.digests(),
        tally.failures()
    );
    let groups = tally.groups();
    for (group, separator) in groups.iter().take(SHOWN).zip([": ", "; "]) {
        line += &format!("{separator}{} x {}", group.count, group.signature);
    }
    if groups.len() > SHOWN {
        line += &format!("; {} more kinds", groups.len() - SHOWN);
    }
    line
}

#[cfg(test)]
mod tests {
    use ktstr_model::{Cause, Digest, Verdict};

    use super::*;
    use crate::outcome::Outcome;
    use crate::signature::Signature;

    #[test]
    fn a_line_fits_on_the_terminal() {
        assert_eq!(cut("ktstr: 57 runs", 80), "ktstr: 57 runs");
        assert_eq!(cut("ktstr: 57 runs", 14), "ktstr: 57 ...");
        assert_eq!(cut("ktstr: 57 runs", 15), "ktstr: 57 runs");
        assert_eq!(cut("ktstr: 57 runs", 2), "...");
    }

    #[test]
    fn the_line_says_how_many_how_fast_and_what() {
        let mut tally = Tally::default();
        for number in 0..6u64 {
            let headline = ["", "stall of 3", "stall of 4", "", "crash", "error"][number as usize];
            let signature =
                (!headline.is_empty()).then(|| Signature::new(Cause::SchedulerDied, headline, &[], ""));
            tally.add(&Outcome {
                number,
                verdict: Verdict::Pass,
                signature,
                headline: headline.to_owned(),
                digest: Some(Digest::of(&[number as u8 / 2])),
                guest_ns: 0,
                wall_ms: 0.0,
                variation: None,
                token: None,
            });
        }
        insta::assert_snapshot!(
            line(&tally, Duration::from_secs(2), 3),
            @"ktstr: 6 runs, 1.5 runs/s, 3 distinct digests, 4 failures: 2 x fail: stall of #; 1 x fail: crash; 1 more kinds"
        );
    }
}
