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
    let begin = all.iter().rposition(|(name, _)| name.contains("panicking::")).map_or(0, |at| at + 1);
    let end = all.iter().position(|(name, _)| is_harness(name)).unwrap_or(all.len()).max(begin);
    let own = if begin == end { &all[..] } else { &all[begin..end] };
    own.iter().map(|(name, place)| format!("{name}{place}")).collect()
}

fn is_harness(name: &str) -> bool {
    name.starts_with("ktstr_guest::") || name.contains("catch_unwind") || name.contains("panicking::try")
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
