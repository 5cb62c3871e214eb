//! Progress of a build: steps and downloads as everywhere, and a bar that counts objects.

use std::{
    cell::RefCell,
    io::{IsTerminal, stderr},
};

use indicatif::{ProgressBar, ProgressStyle};
use ktstr_kernel::Progress;

use crate::progress::Terminal;

/// Draws one of the two at a time: they would overwrite each other.
pub struct BuildBar {
    shown: RefCell<Shown>,
}

enum Shown {
    Steps(Terminal),
    Objects(ProgressBar),
}

impl BuildBar {
    /// Draws nothing until the first step.
    pub fn new() -> Self {
        Self { shown: RefCell::new(Shown::Steps(Terminal::new())) }
    }

    /// Goes from the bar of objects back to steps.
    fn with_steps(&self, tell: impl FnOnce(&Terminal)) {
        let mut shown = self.shown.borrow_mut();
        if let Shown::Objects(bar) = &*shown {
            bar.finish_and_clear();
            *shown = Shown::Steps(Terminal::new());
        }
        if let Shown::Steps(steps) = &*shown {
            tell(steps);
        }
    }
}

fn objects_bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    // A template that indicatif refuses leaves its default style, which shows the same facts.
    if let Ok(style) = ProgressStyle::with_template(
        "{spinner} Compiling {wide_bar} {pos} of about {len} objects, {eta} left",
    ) {
        bar.set_style(style);
    }
    bar
}

impl Progress for BuildBar {
    fn step(&self, text: &str) {
        self.with_steps(|steps| steps.step(text));
    }

    fn bytes(&self, done: u64, total: u64) {
        self.with_steps(|steps| steps.bytes(done, total));
    }

    fn objects(&self, done: u64, total: u64) {
        let mut shown = self.shown.borrow_mut();
        if matches!(&*shown, Shown::Steps(_)) {
            if !stderr().is_terminal() {
                return;
            }
            *shown = Shown::Objects(objects_bar(total));
        }
        if let Shown::Objects(bar) = &*shown {
            bar.set_length(total);
            bar.set_position(done);
        }
    }

    fn notice(&self, text: &str) {
        match &*self.shown.borrow() {
            Shown::Steps(steps) => steps.notice(text),
            Shown::Objects(bar) => bar.suspend(|| eprintln!("note: {text}")),
        }
    }
}

impl Drop for BuildBar {
    fn drop(&mut self) {
        if let Shown::Objects(bar) = &*self.shown.borrow() {
            bar.finish_and_clear();
        }
    }
}
