//! The system calls that the standard library does not offer.

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_ulong, c_void};
use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};
use std::path::Path;

use crate::Failure;

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

/// `struct pollfd`.
#[repr(C)]
pub struct PollFd {
    /// The descriptor to wait for.
    pub fd: c_int,
    /// Events asked for.
    pub events: i16,
    /// Events seen.
    pub revents: i16,
}

/// There is something to read.
pub const POLLIN: i16 = 1;
/// There is room to write.
pub const POLLOUT: i16 = 4;
/// A child's state changed.
pub const SIGCHLD: c_int = 17;
const SIGPIPE: c_int = 13;
/// Signals with which programs ask PID 1 to halt, power off or reboot.
pub const POWER_SIGNALS: [c_int; 3] = [10, 12, 15];

unsafe extern "C" {
    fn mount(
        source: *const c_char,
        target: *const c_char,
        kind: *const c_char,
        flags: c_ulong,
        data: *const c_void,
    ) -> c_int;
    fn mmap(at: *mut c_void, len: usize, protection: c_int, flags: c_int, fd: c_int, offset: i64) -> *mut c_void;
    fn munmap(at: *mut c_void, len: usize) -> c_int;
    fn clock_gettime(clock: c_int, time: *mut Timespec) -> c_int;
    fn poll(fds: *mut PollFd, count: c_ulong, timeout_ms: c_int) -> c_int;
    fn reboot(command: c_int) -> c_int;
    fn fork() -> c_int;
    fn _exit(code: c_int) -> !;
    fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn sched_setaffinity(pid: c_int, size: usize, mask: *const c_ulong) -> c_int;
    fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
    fn dup2(from: c_int, to: c_int) -> c_int;
    fn sigprocmask(how: c_int, set: *const [u64; 16], old: *mut [u64; 16]) -> c_int;
    fn signalfd(fd: c_int, set: *const [u64; 16], flags: c_int) -> c_int;
    fn execve(program: *const c_char, arguments: *const *const c_char, environment: *const *const c_char) -> c_int;
    fn syscall(number: c_long, ...) -> c_long;
    fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
    fn setsid() -> c_int;
    fn close(fd: c_int) -> c_int;
    fn signal(number: c_int, handler: usize) -> usize;
}

const SIG_SETMASK: c_int = 2;
const O_NONBLOCK_CLOEXEC: c_int = 0o4000 | 0o2000000;

/// Mounts a file system of type `kind`.
pub fn mount_at(kind: &str, target: &str, options: &str) -> io::Result<()> {
    let [kind, target, options] = [kind, target, options].map(|text| CString::new(text).unwrap_or_default());
    // SAFETY: all three are strings that live until the call returns.
    let rc = unsafe { mount(kind.as_ptr(), target.as_ptr(), kind.as_ptr(), 0, options.as_ptr().cast()) };
    if rc == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A mapping that ends with its owner.
pub struct Mapping {
    start: *mut u8,
    len: usize,
}

impl Mapping {
    /// Maps `len` bytes of a device's BAR, or anonymous memory shared with children when there is no `fd`.
    pub fn new(fd: Option<RawFd>, offset: u64, len: usize) -> Result<Self, Failure> {
        const READ_WRITE: c_int = 3;
        const SHARED: c_int = 1;
        const ANONYMOUS: c_int = 0x20;
        let len = len.max(1).next_multiple_of(4096);
        let flags = if fd.is_some() { SHARED } else { SHARED | ANONYMOUS };
        // SAFETY: a new mapping, chosen by the kernel, overlaps nothing.
        let start =
            unsafe { mmap(std::ptr::null_mut(), len, READ_WRITE, flags, fd.unwrap_or(-1), offset as i64) };
        if start as isize == -1 {
            return Err(format!("mapping {len} bytes at {offset}: {}", io::Error::last_os_error()));
        }
        Ok(Self { start: start.cast(), len })
    }

    /// The first byte.
    pub fn as_ptr(&self) -> *mut u8 {
        self.start
    }

    /// All bytes. Only for memory that nobody changes meanwhile.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping is `len` bytes long and lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: made by `new` with this length; nothing borrowed from `self` is left.
        unsafe { munmap(self.start.cast(), self.len) };
    }
}

/// Nanoseconds since boot.
pub fn monotonic_ns() -> u64 {
    const CLOCK_MONOTONIC: c_int = 1;
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    // SAFETY: `time` is a valid timespec to write to.
    unsafe { clock_gettime(CLOCK_MONOTONIC, &mut time) };
    time.seconds as u64 * 1_000_000_000 + time.nanoseconds as u64
}

/// Turns the machine off, or at least never returns.
pub fn power_off() -> ! {
    const RB_POWER_OFF: c_int = 0x4321_fedc;
    // SAFETY: no memory is passed.
    unsafe { reboot(RB_POWER_OFF) };
    loop {
        std::thread::sleep(std::time::Duration::from_secs(3600));
    }
}

/// Runs `work` in a child process; the child's memory is a copy but for shared mappings.
pub fn fork_child(work: impl FnOnce()) -> Result<i32, Failure> {
    // SAFETY: the agent has one thread, so the child is a whole copy of it.
    let pid = unsafe { fork() };
    match pid {
        -1 => Err(format!("fork: {}", io::Error::last_os_error())),
        0 => {
            work();
            // SAFETY: ends the child without running the parent's exit handlers.
            unsafe { _exit(0) }
        }
        pid => Ok(pid),
    }
}

/// Lets this process run on one CPU only.
pub fn pin_to(cpu: u32) {
    let mut mask = [0 as c_ulong; 64];
    mask[cpu as usize / 64] |= 1 << (cpu % 64);
    // SAFETY: the mask is as long as the size says.
    unsafe { sched_setaffinity(0, size_of_val(&mask), mask.as_ptr()) };
}

/// Waits for a child to end. Returns its pid and wait status.
pub fn wait_child(pid: i32) -> Option<(i32, i32)> {
    wait(pid, 0)
}

/// The pid and wait status of a child that has ended, if one has.
pub fn any_ended() -> Option<(i32, i32)> {
    const WNOHANG: c_int = 1;
    wait(-1, WNOHANG)
}

fn wait(pid: c_int, options: c_int) -> Option<(i32, i32)> {
    let mut status = 0;
    // SAFETY: `status` is a valid int to write to.
    let pid = unsafe { waitpid(pid, &mut status, options) };
    (pid > 0).then_some((pid, status))
}

/// Blocks these signals and returns a descriptor that can be read when one of them has come.
pub fn signal_descriptor(signals: &[c_int]) -> Result<RawFd, Failure> {
    let mut set = [0u64; 16];
    set[0] = signals.iter().fold(0, |set, signal| set | 1 << (signal - 1));
    // SAFETY: `set` is a whole sigset_t.
    let fd = unsafe {
        sigprocmask(SIG_SETMASK, &set, std::ptr::null_mut());
        signalfd(-1, &set, O_NONBLOCK_CLOEXEC)
    };
    if fd < 0 { Err(format!("signalfd: {}", io::Error::last_os_error())) } else { Ok(fd) }
}

/// Whether SIGPIPE ends this process, as programs that are started expect it; Rust's runtime ignores it.
pub fn let_pipes_break() {
    // SAFETY: sets the default disposition (0); no handler is involved.
    unsafe { signal(SIGPIPE, 0) };
}

/// Closes a descriptor that no owner will close.
pub fn close_raw(fd: RawFd) {
    // SAFETY: the caller says that nobody else closes it.
    unsafe { close(fd) };
}

/// Makes `terminal` the controlling terminal of a new session that this process leads.
pub fn lead_session(terminal: RawFd) -> io::Result<()> {
    const TIOCSCTTY: c_ulong = 0x540e;
    // SAFETY: no memory is passed.
    let rc = unsafe { if setsid() < 0 { -1 } else { ioctl(terminal, TIOCSCTTY, 0) } };
    if rc < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The other end of the pseudo-terminal whose master this is.
pub fn terminal_of(master: RawFd) -> io::Result<OwnedFd> {
    const TIOCSPTLCK: c_ulong = 0x4004_5431;
    const TIOCGPTPEER: c_ulong = 0x5441;
    const READ_WRITE_NO_CONTROL: c_int = 0o2 | 0o400 | 0o2000000;
    let unlocked: c_int = 0;
    // SAFETY: the first takes a pointer to an int, which lives until it returns; the second takes open(2) flags.
    let fd = unsafe {
        if ioctl(master, TIOCSPTLCK, &unlocked) < 0 { -1 } else { ioctl(master, TIOCGPTPEER, READ_WRITE_NO_CONTROL) }
    };
    // SAFETY: a descriptor that the kernel has just made.
    if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(unsafe { OwnedFd::from_raw_fd(fd) }) }
}

/// Sets a terminal's size; its foreground processes are told.
pub fn resize(terminal: RawFd, columns: u16, rows: u16) {
    const TIOCSWINSZ: c_ulong = 0x5414;
    let size = [rows, columns, 0, 0];
    // SAFETY: `size` is a whole `struct winsize`.
    unsafe { ioctl(terminal, TIOCSWINSZ, size.as_ptr()) };
}

/// Makes descriptor `from` open as `to` too, also after an exec.
pub fn pass_on(from: RawFd, to: RawFd) -> io::Result<()> {
    const F_SETFD: c_int = 2;
    // SAFETY: no memory is passed.
    let rc = unsafe { if from == to { fcntl(to, F_SETFD, 0) } else { dup2(from, to) } };
    if rc < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Turns this process into `program`; returns why it could not.
pub fn execute(program: &CStr, arguments: &[&CStr], environment: &[&CStr]) -> io::Error {
    let pointers = |texts: &[&CStr]| -> Vec<*const c_char> {
        texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
    };
    let (arguments, environment) = (pointers(arguments), pointers(environment));
    // SAFETY: both arrays end with a null pointer, and all texts live until the call returns, if it does.
    unsafe { execve(program.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

/// Waits until one of `fds` is ready for what is asked of it.
pub fn wait_ready(fds: &mut [PollFd]) {
    // SAFETY: the slice is as long as its length says.
    unsafe { poll(fds.as_mut_ptr(), fds.len() as c_ulong, -1) };
}

/// Makes reads of `fd` return at once.
pub fn set_nonblocking(fd: RawFd) {
    const F_SETFL: c_int = 4;
    const O_NONBLOCK: c_int = 0o4000;
    // SAFETY: no memory is passed.
    unsafe { fcntl(fd, F_SETFL, O_NONBLOCK) };
}

/// Flushes file systems, so that the saved instant has no such work pending.
pub fn sync_all() {
    const SYS_SYNC: c_long = 162;
    // SAFETY: no arguments.
    unsafe { syscall(SYS_SYNC) };
}

/// A text file's content without the final newline.
pub fn read_line(path: impl AsRef<Path>) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim_end().to_owned())
}
