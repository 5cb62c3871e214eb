//! Keeps QEMU's main loop and its vCPU thread in lockstep, for deterministic machines. QEMU loads it before the C library
//! (`LD_PRELOAD`), so that some of that library's functions come through here.
//!
//! With counted instructions all vCPUs run on one thread, and the guest's clock is what they have executed. But whenever a
//! timer of the guest is due, that thread also wakes QEMU's main loop (`icount_notify_aio_contexts` in
//! `accel/tcg/tcg-accel-ops-icount.c`), which then looks for due timers too. On a busy host it may come late, when the next timer
//! is just due. If it is the one that runs it, the interrupt kicks all vCPUs instead of one, which gives them other turns: a run
//! in some hundred went another way so.
//!
//! Hence the rule that is kept here: **the guest executes only while the main loop sleeps.** The vCPU thread gives the big
//! lock away before it executes anything; there it waits until the main loop has seen all that it was woken for, and
//! sleeps again. So whatever the main loop does happens at an instant that the guest's clock alone decides.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering::SeqCst};

/// Opaque to us: `pthread_mutex_t`, `pthread_cond_t`, `sigset_t`.
type Opaque = c_void;

#[repr(C)]
pub struct PollFd {
    fd: c_int,
    events: i16,
    revents: i16,
}

#[repr(C)]
pub struct Timespec {
    seconds: i64,
    nanoseconds: c_long,
}

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlvsym(handle: *mut c_void, name: *const c_char, version: *const c_char) -> *mut c_void;
    fn syscall(number: c_long, ...) -> c_long;
    fn getpid() -> c_int;
}

/// Of x86-64.
const SYS_PRCTL: c_long = 157;
const SYS_GETTID: c_long = 186;
const SYS_FUTEX: c_long = 202;
const FUTEX_WAIT_PRIVATE: c_int = 128;
const FUTEX_WAKE_PRIVATE: c_int = 129;
const PR_SET_NAME: c_long = 15;
/// Looks in the libraries after this one.
const RTLD_NEXT: *mut c_void = -1isize as *mut c_void;

/// A function of the C library, looked up when it is first called.
struct Real {
    name: &'static CStr,
    /// The version that QEMU wants, where there are several.
    version: Option<&'static CStr>,
    found: AtomicPtr<c_void>,
}

impl Real {
    const fn new(name: &'static CStr, version: Option<&'static CStr>) -> Self {
        Self { name, version, found: AtomicPtr::new(null_mut()) }
    }

    fn get(&self) -> *mut c_void {
        let found = self.found.load(SeqCst);
        if !found.is_null() {
            return found;
        }
        // SAFETY: names are C strings.
        let found = unsafe {
            match self.version {
                Some(version) => dlvsym(RTLD_NEXT, self.name.as_ptr(), version.as_ptr()),
                None => dlsym(RTLD_NEXT, self.name.as_ptr()),
            }
        };
        self.found.store(found, SeqCst);
        found
    }
}

type PollFn = unsafe extern "C" fn(*mut PollFd, u64, *const Timespec, *const Opaque) -> c_int;
type MutexFn = unsafe extern "C" fn(*mut Opaque) -> c_int;
type WaitFn = unsafe extern "C" fn(*mut Opaque, *mut Opaque) -> c_int;
type WriteFn = unsafe extern "C" fn(c_int, *const c_void, usize) -> isize;

static PPOLL: Real = Real::new(c"ppoll", None);
static LOCK: Real = Real::new(c"pthread_mutex_lock", None);
static UNLOCK: Real = Real::new(c"pthread_mutex_unlock", None);
static WRITE: Real = Real::new(c"write", None);
// An older version of it takes another structure.
static COND_WAIT: Real = Real::new(c"pthread_cond_wait", Some(c"GLIBC_2.3.2"));

/// The big lock: the first mutex that the main loop takes after it has slept.
static BIG_LOCK: AtomicPtr<Opaque> = AtomicPtr::new(null_mut());
/// The main loop's descriptors, one bit each, from 0 to 1023.
static POLLED: [AtomicU64; 16] = [const { AtomicU64::new(0) }; 16];
/// Wake-ups that were sent to the main loop.
static SENT: AtomicU32 = AtomicU32::new(0);
/// What the main loop does: [`BUSY`], [`WAITS_FOR_VCPUS`], or it sleeps, having seen as many wake-ups as [`asleep`] says.
static MAIN_LOOP: AtomicU32 = AtomicU32::new(BUSY);
const BUSY: u32 = 0;
const WAITS_FOR_VCPUS: u32 = u32::MAX;

fn asleep(seen: u32) -> u32 {
    (seen % (WAITS_FOR_VCPUS - 1)) + 1
}

thread_local! {
    /// Whether this is the thread of the main loop, once that is known.
    static IS_MAIN: Cell<Option<bool>> = const { Cell::new(None) };
    static IS_VCPU: Cell<bool> = const { Cell::new(false) };
    static HAS_SLEPT: Cell<bool> = const { Cell::new(false) };
}

fn is_main() -> bool {
    IS_MAIN.get().unwrap_or_else(|| {
        // SAFETY: they only return a number.
        let first = unsafe { syscall(SYS_GETTID) == c_long::from(getpid()) };
        IS_MAIN.set(Some(first));
        first
    })
}

fn main_loop_is(state: u32) {
    MAIN_LOOP.store(state, SeqCst);
    if state != BUSY {
        // SAFETY: the word lives as long as the process.
        unsafe { syscall(SYS_FUTEX, MAIN_LOOP.as_ptr(), FUTEX_WAKE_PRIVATE, c_int::MAX) };
    }
}

/// Waits until the main loop sleeps and nothing wakes it up, or waits for the vCPUs itself.
fn wait_for_main_loop() {
    loop {
        let state = MAIN_LOOP.load(SeqCst);
        if state == WAITS_FOR_VCPUS || state == asleep(SENT.load(SeqCst)) {
            return;
        }
        // SAFETY: as above. It returns at once when the state is another one by now.
        unsafe { syscall(SYS_FUTEX, MAIN_LOOP.as_ptr(), FUTEX_WAIT_PRIVATE, state, null_mut::<c_void>()) };
    }
}

fn bit_of(fd: c_int) -> Option<(&'static AtomicU64, u64)> {
    let fd = usize::try_from(fd).ok()?;
    Some((POLLED.get(fd / 64)?, 1 << (fd % 64)))
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ppoll(
    fds: *mut PollFd,
    count: u64,
    timeout: *const Timespec,
    mask: *const Opaque,
) -> c_int {
    const AT_ONCE: Timespec = Timespec { seconds: 0, nanoseconds: 0 };
    // SAFETY: it has this type, and gets what the caller gives; the caller's pointers are valid.
    unsafe {
        let real: PollFn = std::mem::transmute(PPOLL.get());
        if !is_main() {
            return real(fds, count, timeout, mask);
        }
        for at in 0..count as usize {
            if let Some((word, bit)) = bit_of((*fds.add(at)).fd) {
                word.fetch_or(bit, SeqCst);
            }
        }
        let seen = SENT.load(SeqCst);
        let mut ready = real(fds, count, &AT_ONCE, mask);
        let sleeps = timeout.is_null() || (*timeout).seconds != 0 || (*timeout).nanoseconds != 0;
        if ready == 0 && sleeps {
            main_loop_is(asleep(seen));
            ready = real(fds, count, timeout, mask);
            main_loop_is(BUSY);
        }
        HAS_SLEPT.set(true);
        ready
    }
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_mutex_lock(mutex: *mut Opaque) -> c_int {
    if HAS_SLEPT.replace(false) {
        let _ = BIG_LOCK.compare_exchange(null_mut(), mutex, SeqCst, SeqCst);
    }
    // SAFETY: it has this type, and gets what the caller gives.
    unsafe { std::mem::transmute::<*mut c_void, MutexFn>(LOCK.get())(mutex) }
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_mutex_unlock(mutex: *mut Opaque) -> c_int {
    // SAFETY: it has this type, and gets what the caller gives.
    let result = unsafe { std::mem::transmute::<*mut c_void, MutexFn>(UNLOCK.get())(mutex) };
    if IS_VCPU.get() && mutex == BIG_LOCK.load(SeqCst) {
        wait_for_main_loop();
    }
    result
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_cond_wait(condition: *mut Opaque, mutex: *mut Opaque) -> c_int {
    let main_waits = is_main() && mutex == BIG_LOCK.load(SeqCst);
    if main_waits {
        main_loop_is(WAITS_FOR_VCPUS);
    }
    // SAFETY: it has this type, and gets what the caller gives.
    let result = unsafe { std::mem::transmute::<*mut c_void, WaitFn>(COND_WAIT.get())(condition, mutex) };
    if main_waits {
        main_loop_is(BUSY);
    } else if mutex == BIG_LOCK.load(SeqCst) {
        // Nobody else waits for something with the big lock. Looked at afterwards: it may not have been known before.
        this_is_the_vcpus();
    }
    result
}

fn this_is_the_vcpus() {
    if !IS_VCPU.replace(true) {
        // The name shows whoever looks (`top -H`, a test) that the rule is kept.
        // SAFETY: the name is a C string.
        unsafe { syscall(SYS_PRCTL, PR_SET_NAME, c"vcpus-lockstep".as_ptr()) };
    }
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(fd: c_int, bytes: *const c_void, count: usize) -> isize {
    /// What wakes a thread up by its eventfd.
    const WAKE_UP: usize = size_of::<u64>();
    if count == WAKE_UP && bit_of(fd).is_some_and(|(word, bit)| word.load(SeqCst) & bit != 0) {
        SENT.fetch_add(1, SeqCst);
    }
    // SAFETY: it has this type, and gets what the caller gives.
    unsafe { std::mem::transmute::<*mut c_void, WriteFn>(WRITE.get())(fd, bytes, count) }
}
