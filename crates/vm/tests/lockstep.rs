//! What deterministic machines load keeps two threads in lockstep that wake each other up as QEMU's do.

#![allow(clippy::unwrap_used)]

use std::cell::UnsafeCell;
use std::process::{Command, exit};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// Makes a process imitate QEMU instead of testing.
const IMITATE: &str = "KTSTR_TEST_IMITATES_QEMU";
const WAKE_UPS: u32 = 500;

struct Shared<T>(UnsafeCell<T>);
// SAFETY: what is in it is made to be used by several threads.
unsafe impl<T> Sync for Shared<T> {}

static BIG_LOCK: Shared<libc::pthread_mutex_t> = Shared(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));
static GO: Shared<libc::pthread_cond_t> = Shared(UnsafeCell::new(libc::PTHREAD_COND_INITIALIZER));
/// The other thread waits to be let go, or is about to, with the lock.
static WAITS: AtomicBool = AtomicBool::new(false);
static HANDLED: AtomicU32 = AtomicU32::new(0);

#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = before_main;

/// QEMU's main loop is in the first thread, where no test runs.
extern "C" fn before_main() {
    if std::env::var_os(IMITATE).is_some() {
        // SAFETY: a lock is taken and given back as it should be.
        unsafe { main_loop() }
    }
}

unsafe fn main_loop() -> ! {
    // SAFETY: as the C library wants it.
    unsafe {
        libc::pthread_mutex_lock(BIG_LOCK.0.get());
        let wakes = libc::eventfd(0, 0);
        std::thread::spawn(move || vcpus(wakes));
        let mut fds = [libc::pollfd { fd: wakes, events: libc::POLLIN, revents: 0 }];
        let mut sleep = |timeout: *const libc::timespec| {
            libc::pthread_mutex_unlock(BIG_LOCK.0.get());
            libc::ppoll(fds.as_mut_ptr(), 1, timeout, std::ptr::null());
            libc::pthread_mutex_lock(BIG_LOCK.0.get());
        };
        while !WAITS.load(Ordering::SeqCst) {
            sleep(&libc::timespec { tv_sec: 0, tv_nsec: 1_000_000 });
        }
        libc::pthread_cond_broadcast(GO.0.get());
        loop {
            sleep(std::ptr::null());
            let mut count = 0u64;
            libc::read(wakes, (&raw mut count).cast(), 8);
            std::thread::sleep(Duration::from_micros(50));
            HANDLED.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Ends the process: with 0 when the main loop had handled each wake-up before the lock was given away.
fn vcpus(wakes: i32) {
    // SAFETY: as the C library wants it.
    unsafe {
        libc::pthread_mutex_lock(BIG_LOCK.0.get());
        WAITS.store(true, Ordering::SeqCst);
        libc::pthread_cond_wait(GO.0.get(), BIG_LOCK.0.get());
        for number in 1..=WAKE_UPS {
            let one = 1u64;
            libc::write(wakes, (&raw const one).cast(), 8);
            libc::pthread_mutex_unlock(BIG_LOCK.0.get());
            // Here a guest would execute.
            if HANDLED.load(Ordering::SeqCst) != number {
                exit(1);
            }
            libc::pthread_mutex_lock(BIG_LOCK.0.get());
        }
    }
    exit(0);
}

#[test]
fn nothing_executes_before_the_main_loop_has_handled_its_wake_ups() {
    let imitate = |preload: Option<&str>| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(IMITATE, "1").env_remove("LD_PRELOAD");
        command.envs(preload.map(|library| ("LD_PRELOAD", library)));
        command.status().unwrap().code()
    };
    assert_eq!(imitate(Some(env!("KTSTR_LOCKSTEP"))), Some(0));
    assert_eq!(imitate(None), Some(1), "it would be so by itself");
}
