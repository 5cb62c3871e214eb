//! What a panic of the test body leaves for the report.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use ktstr_model::{GuestFailure, GuestFrame};

/// The last panic of the thread that runs the body.
static LAST: Mutex<Option<GuestFailure>> = Mutex::new(None);

thread_local! {
    /// What this thread is about to do, for the message of a panic.
    static DURING: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Calls a function that a test's author wrote. The message of a panic in it says where in the test that was.
pub(crate) fn during<T>(place: String, call: impl FnOnce() -> T) -> T {
    DURING.set(Some(place));
    let value = call();
    DURING.set(None);
    value
}

/// From now on every panic is printed, and the last one of the calling thread is kept. The stack is kept as addresses
/// only: the test binary that a guest gets has no debug information, so the host finds the names.
pub(crate) fn record_panics() {
    let body = thread::current().id();
    panic::set_hook(Box::new(move |info| record(info, body)));
}

/// The failure that a panic of the body is, given what it unwound with.
pub(crate) fn failure_of(payload: &(dyn Any + Send)) -> GuestFailure {
    let recorded = LAST.lock().unwrap_or_else(PoisonError::into_inner).take();
    // `resume_unwind` calls no hook.
    recorded.unwrap_or_else(|| GuestFailure::TestPanic {
        message: message_of(payload),
        location: "unknown".to_owned(),
        frames: Vec::new(),
    })
}

fn record(info: &PanicHookInfo<'_>, body: ThreadId) {
    let message = match DURING.take() {
        Some(place) => format!("{place}: {}", message_of(info.payload())),
        None => message_of(info.payload()),
    };
    let location = info.location().map_or_else(|| "unknown".to_owned(), ToString::to_string);
    let current = thread::current();
    eprintln!("thread '{}' panicked at {location}:\n{message}", current.name().unwrap_or("<unnamed>"));
    if current.id() == body {
        let frames = stack();
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(GuestFailure::TestPanic { message, location, frames });
    }
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is not text")
        .to_owned()
}

/// The calls that lead here and lie in the test binary, innermost first. Each address is inside its call instruction,
/// so that looking it up gives the line of the call.
fn stack() -> Vec<GuestFrame> {
    let executable = Executable::of_this_process();
    let mut frames = Vec::new();
    backtrace::trace(|frame| {
        let address = (frame.ip() as u64).saturating_sub(1);
        if executable.range.contains(&address) {
            frames.push(GuestFrame { relative_address: address - executable.base });
        }
        true
    });
    frames
}

/// Where the main program is in memory.
#[derive(Debug, Default)]
struct Executable {
    /// What the addresses in its file are offset by.
    base: u64,
    /// From its first to its last segment.
    range: std::ops::Range<u64>,
}

impl Executable {
    fn of_this_process() -> Self {
        let mut executable = Self::default();
        // SAFETY: the callback gets this pointer back while `executable` lives, and nobody else uses it meanwhile.
        unsafe { libc::dl_iterate_phdr(Some(first_object), (&raw mut executable).cast()) };
        executable
    }
}

/// The dynamic linker lists the main program first.
unsafe extern "C" fn first_object(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    executable: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the dynamic linker passes a valid object with valid headers, and the pointer that it was given.
    let (info, executable) = unsafe { (&*info, &mut *executable.cast::<Executable>()) };
    // SAFETY: as above.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let loaded = || headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
    executable.base = info.dlpi_addr;
    let begin = loaded().map(|segment| segment.p_vaddr).min().unwrap_or(0);
    let end = loaded().map(|segment| segment.p_vaddr + segment.p_memsz).max().unwrap_or(0);
    executable.range = info.dlpi_addr + begin..info.dlpi_addr + end;
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_addresses_in_the_binarys_file() {
        let frames = stack();
        assert!(frames.len() > 3, "{frames:?}");
        let executable = Executable::of_this_process();
        let here = frames_are_addresses_in_the_binarys_file as fn() as usize as u64;
        assert!(executable.range.contains(&here));
        let size = executable.range.end - executable.base;
        assert!(frames.iter().all(|frame| frame.relative_address < size));
    }

    #[test]
    fn messages_of_both_kinds_of_text() {
        assert_eq!(message_of(&"plain"), "plain");
        assert_eq!(message_of(&"owned".to_owned()), "owned");
        assert_eq!(message_of(&7), "a value that is not text");
    }
}
