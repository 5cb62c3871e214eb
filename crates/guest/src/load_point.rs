//! Where a loaded template is made: the test process has been started and has no order yet.

use std::hint::spin_loop;
use std::os::fd::BorrowedFd;

use ktstr_wire::layout::{Area, STOP_FD, stage};
use rustix::io::{FdFlags, fcntl_setfd};

use crate::channel::Channel;
use crate::clock::monotonic_ns;
use crate::error::GuestError;
use crate::memory::SharedMemory;
use crate::time_stamp::time_stamp;
use crate::{kernel_random, stillness};

/// The register that stops the machine: the first byte of pvpanic's BAR.
const REGISTER: Area = Area { offset: 0, size: 4096 };
/// The event that the host answers by pausing.
const PANICKED: u8 = 1;

/// Returns when the channel holds an order. In a machine that was started without one this is the instant of a loaded
/// template: the machine stops here, and its clones, whose channels hold an order, go on from here.
///
/// # Errors
/// When the register that stops the machine cannot be mapped.
pub(crate) fn wait_for_order(channel: &Channel) -> Result<(), GuestError> {
    // SAFETY: nobody else in this process knows of the descriptor, and nobody closes it.
    let fd = unsafe { BorrowedFd::borrow_raw(STOP_FD) };
    // Programs that the test starts do not inherit it. It is absent where no agent started this process.
    let _ = fcntl_setfd(fd, FdFlags::CLOEXEC);
    if channel.has_order() {
        return Ok(());
    }
    let register = SharedMemory::of_file(fd, REGISTER).map_err(GuestError::StopRegister)?;
    channel.reached(stage::LOADED);
    rustix::fs::sync();
    stillness::wait_until_idle();
    stillness::wait_between_timers(monotonic_ns);
    channel.stops(time_stamp());
    register.set_word(0, PANICKED);
    while !channel.has_order() {
        spin_loop();
    }
    channel.awake(monotonic_ns());
    if let Err(error) = kernel_random::stir(channel.seed()) {
        eprintln!("ktstr: the kernel's random numbers do not follow the seed: {error}");
    }
    Ok(())
}
