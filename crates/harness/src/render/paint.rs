//! A little colour: verdicts and titles, where a person reads them on a terminal.

use anstream::adapter::strip_str;
use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use ktstr_model::Verdict;

/// The verdict in capitals, in its colour.
pub(super) fn verdict(verdict: Verdict) -> String {
    let colour = match verdict {
        Verdict::Pass => AnsiColor::Green,
        Verdict::Fail => AnsiColor::Red,
        Verdict::Broken => AnsiColor::Magenta,
        Verdict::Skip | Verdict::Inconclusive => AnsiColor::Yellow,
    };
    painted(&verdict.to_string().to_uppercase(), colour.on_default().bold())
}

/// The title of a section.
pub(super) fn title(text: &str) -> String {
    painted(text, Style::new().bold())
}

fn painted(text: &str, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

/// The text as `stream` shall get it: with its colours when that is a terminal and neither `NO_COLOR` nor `TERM=dumb` is
/// against them (`CLICOLOR_FORCE` wants them everywhere).
pub(crate) fn for_stream(text: String, stream: &impl RawStream) -> String {
    match AutoStream::choice(stream) {
        ColorChoice::Never => plain(&text),
        _ => text,
    }
}

/// The text without colours.
pub(crate) fn plain(text: &str) -> String {
    strip_str(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_only() {
        let text = format!("{}: t\n  {}:", verdict(Verdict::Fail), title("violations"));
        assert!(text.contains("\u{1b}[1m\u{1b}[31mFAIL\u{1b}[0m"), "{text:?}");
        assert_eq!(plain(&text), "FAIL: t\n  violations:");
        // A file is no terminal.
        let file = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(for_stream(text, &file), "FAIL: t\n  violations:");
    }
}
