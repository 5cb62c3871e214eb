//! Progress on standard error: a bar on a terminal, else one line a step.

use std::{
    io::{IsTerminal, stderr},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use ktstr_kernel::Progress;

/// Draws what a slow operation tells.
pub struct Terminal {
    /// Absent where nobody watches.
    bar: Option<ProgressBar>,
}

impl Terminal {
    /// Draws nothing until the first step.
    pub fn new() -> Self {
        Self { bar: stderr().is_terminal().then(ProgressBar::new_spinner) }
    }

    fn style(bar: &ProgressBar, template: &str) {
        // A template that indicatif refuses leaves its default style, which shows the same facts.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
    }
}

impl Progress for Terminal {
    fn step(&self, text: &str) {
        let Some(bar) = &self.bar else {
            return eprintln!("{text}");
        };
        bar.unset_length();
        Self::style(bar, "{spinner} {msg}");
        bar.set_message(text.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
    }

    fn bytes(&self, done: u64, total: u64) {
        let Some(bar) = &self.bar else {
            return;
        };
        if bar.length() != Some(total) {
            bar.set_length(total);
            bar.reset_eta();
            Self::style(bar, "{spinner} {msg} {wide_bar} {bytes}/{total_bytes}, {eta} left");
        }
        bar.set_position(done);
    }

    fn notice(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("note: {text}")),
            None => eprintln!("note: {text}"),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
