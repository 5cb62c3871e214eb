//! Collapsing the passes of loops in a log.
//!
//! The verifier walks a bounded loop pass by pass and logs each. Passes whose lines differ only in register state become
//! the first one, a count, and the last one; loops within loops too. An instruction's index is part of its line, so
//! lines repeat only where the same code is walked again.

use std::fmt;

use crate::window::Window;

/// A part of a collapsed log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A line as it was logged.
    Line(String),
    /// A loop.
    Loop(Loop),
}

/// Passes over the same code, at least two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loop {
    /// The first pass.
    pub first: Vec<Piece>,
    /// How many passes between the first and the last were left out.
    pub passes_between: u64,
    /// How many lines those had.
    pub lines_between: u64,
    /// The last pass.
    pub last: Vec<Piece>,
}

impl Piece {
    /// Lines of the log that this stands for.
    pub fn lines(&self) -> u64 {
        match self {
            Self::Line(_) => 1,
            Self::Loop(Loop { first, lines_between, last, .. }) => {
                lines_between + first.iter().chain(last).map(Self::lines).sum::<u64>()
            }
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let walked = match self {
            Self::Line(line) => return writeln!(f, "{:1$}{line}", "", 2 * depth),
            Self::Loop(walked) => walked,
        };
        if walked.passes_between == 0 {
            return walked.first.iter().chain(&walked.last).try_for_each(|piece| piece.write(f, depth));
        }
        let mark = |f: &mut fmt::Formatter<'_>, text: &str| writeln!(f, "{:1$}[{text}]", "", 2 * depth);
        mark(f, &format!("a loop of {} passes; the first:", walked.passes_between + 2))?;
        walked.first.iter().try_for_each(|piece| piece.write(f, depth + 1))?;
        let (passes, lines) = (walked.passes_between, walked.lines_between);
        mark(
            f,
            &format!(
                "{} with {} differ only in register state; the last pass:",
                count(passes, "pass"),
                count(lines, "line")
            ),
        )?;
        walked.last.iter().try_for_each(|piece| piece.write(f, depth + 1))?;
        mark(f, "the loop's end")
    }
}

fn count(n: u64, word: &str) -> String {
    match (n, word) {
        (1, _) => format!("1 {word}"),
        (_, "pass") => format!("{n} passes"),
        _ => format!("{n} {word}s"),
    }
}

/// The piece's lines, with a mark in square brackets where passes were left out.
impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

/// Collapses the loops in a log's lines. The pieces come as soon as later lines cannot change them.
pub fn collapse<'a, L: Iterator<Item = &'a str>>(lines: L) -> Collapse<L> {
    Collapse { lines, window: Window::default() }
}

/// The iterator of [`collapse`].
#[derive(Debug)]
pub struct Collapse<L> {
    lines: L,
    window: Window,
}

impl<'a, L: Iterator<Item = &'a str>> Iterator for Collapse<L> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        loop {
            if let Some(piece) = self.window.take_settled() {
                return Some(piece);
            }
            match self.lines.next() {
                Some(line) => self.window.push(line),
                None => return self.window.take_first(),
            }
        }
    }
}

#[cfg(test)]
mod tests;
