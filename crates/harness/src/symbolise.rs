//! Turning a guest's stack addresses into names: the guest's copy of the binary has no symbols, ours has.

use std::path::Path;

use addr2line::Loader;
use ktstr_model::GuestFrame;

/// The stack as lines of text, innermost first, without the frames of the panic machinery before and of the harness
/// after the test's own.
pub fn backtrace(binary: &Path, frames: &[GuestFrame]) -> Vec<String> {
    let Ok(loader) = Loader::new(binary) else {
        return frames.iter().map(|frame| format!("{:#x}", frame.relative_address)).collect();
    };
    let all: Vec<(String, String)> = frames.iter().flat_map(|frame| names(&loader, *frame)).collect();
    own(&all).iter().map(|(name, place)| format!("{name}{place}")).collect()
}

/// The frames between the harness's call of the body and the panic; all when these cannot be told apart.
fn own(all: &[(String, String)]) -> &[(String, String)] {
    let end = all.iter().position(|(name, _)| name.starts_with("ktstr_guest::entry::")).unwrap_or(all.len());
    // `catch_unwind` is called `panicking` too, but is on the harness's side.
    let begin = all[..end].iter().rposition(|(name, _)| name.contains("panicking::")).map_or(0, |at| at + 1);
    if begin == end { all } else { &all[begin..end] }
}

/// A frame has more than one name where calls were inlined. Debug information may be reduced to line tables, which name
/// inlined functions only; the symbol table has the others.
fn names(loader: &Loader, frame: GuestFrame) -> Vec<(String, String)> {
    let address = frame.relative_address;
    let symbol = || match loader.find_symbol(address) {
        Some(symbol) => format!("{:#}", rustc_demangle::demangle(symbol)),
        None => format!("{address:#x}"),
    };
    let mut names = Vec::new();
    if let Ok(mut found) = loader.find_frames(address) {
        while let Ok(Some(frame)) = found.next() {
            let name = frame.function.as_ref().and_then(|f| f.demangle().ok().map(|name| name.into_owned()));
            let place = frame.location.and_then(|l| Some(format!(" at {}:{}", l.file?, l.line?)));
            names.push((name.unwrap_or_else(symbol), place.unwrap_or_default()));
        }
    }
    if names.is_empty() {
        names.push((symbol(), String::new()));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(names: &[&str]) -> Vec<String> {
        let all: Vec<_> = names.iter().map(|name| ((*name).to_owned(), String::new())).collect();
        own(&all).iter().map(|(name, _)| name.clone()).collect()
    }

    #[test]
    fn only_the_tests_own_frames_are_shown() {
        let frames = [
            "backtrace::backtrace::trace",
            "ktstr_guest::panic::record",
            "std::panicking::panic_with_hook",
            "std::sys::backtrace::__rust_end_short_backtrace::<closure>",
            "__rustc::rust_begin_unwind",
            "core::panicking::panic_fmt",
            "sched::depth",
            "sched::the_test",
            "ktstr_guest::entry::run_test::{{closure}}",
            "core::ops::function::FnOnce::call_once",
            "std::panicking::catch_unwind",
            "ktstr_guest::entry::run_in_guest",
        ];
        assert_eq!(shown(&frames), ["sched::depth", "sched::the_test"]);
    }

    #[test]
    fn all_are_shown_when_the_tests_own_cannot_be_told() {
        let frames = ["core::panicking::panic_fmt", "ktstr_guest::entry::run_test"];
        assert_eq!(shown(&frames), frames);
        assert_eq!(shown(&["0x1"]), ["0x1"]);
    }
}
