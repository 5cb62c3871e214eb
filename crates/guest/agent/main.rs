//! The boot agent: PID 1 of every guest.
//!
//! One static program without dependencies, so that a template does not depend on any test. It mounts what a
//! scheduler needs, maps the channel, reports what it sees of its machine, forks the process that will become the test
//! and waits for it to end. That process stops the machine: this instant is the template. In a clone it wakes up in
//! front of its work, unpacks the payload and turns into the test binary. When that has ended, the agent stops the
//! machine again.
//!
//! Whatever can be done before the template's instant is: code that a clone runs for the first time has to be
//! translated by TCG again in every clone, and that is most of a clone's start.

#[path = "../../wire/src/layout.rs"]
#[allow(dead_code)]
mod layout;
#[path = "../../wire/src/session.rs"]
#[allow(dead_code)]
mod session_wire;

mod archive;
mod channel;
mod facts;
mod mounts;
mod nfit;
mod pci;
mod session;
mod stillness;
mod sys;
mod test_process;
mod time_stamp;

use channel::Channel;
use layout::{FACTS, HEADER, stage, word};
use test_process::TestProcess;

/// What the agent cannot go on without, as one line for the host.
type Failure = String;

fn main() {
    if let Err(failure) = mounts::before_channel() {
        give_up_without_channel(&failure);
    }
    let (channel, stop) = match open_devices() {
        Ok(devices) => devices,
        Err(failure) => give_up_without_channel(&failure),
    };
    if let Err(failure) = live(&channel, &stop) {
        eprintln!("ktstr agent: {failure}");
        channel.write_message(&failure);
        channel.set_u32(word::STAGE, stage::FAILED);
    }
    stop.stop_machine();
    // Nothing resumes a machine that has stopped for the last time.
    sys::power_off();
}

fn open_devices() -> Result<(Channel, pci::StopDevice), Failure> {
    Ok((Channel::open()?, pci::StopDevice::open()?))
}

fn live(channel: &Channel, stop: &pci::StopDevice) -> Result<(), Failure> {
    mounts::for_schedulers()?;
    sys::sync_all();
    stillness::wait_until_idle();
    let facts = facts::gather()?;
    channel.write_area(FACTS, word::FACTS_LEN, facts.as_bytes())?;
    let (kind, value) = TestProcess::fork(channel, stop)?.wait(channel)?;
    channel.set_u32(word::EXIT_KIND, kind);
    channel.set_u32(word::EXIT_VALUE, value);
    channel.set_u32(word::STAGE, stage::DONE);
    Ok(())
}

/// Without a channel the console is all there is to say it on; the host sees the machine power off.
fn give_up_without_channel(failure: &str) -> ! {
    eprintln!("ktstr agent: {failure}");
    sys::power_off();
}

const _: () = assert!(HEADER.offset == 0);
