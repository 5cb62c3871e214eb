//! The boot agent: PID 1 of every guest.
//!
//! One static program without dependencies, so that a template does not depend on any test. It mounts what a
//! scheduler needs, maps the channel, reports what it sees of its machine and stops the machine: that instant is the
//! template. In a clone it wakes up in front of its work, unpacks the payload, runs the test binary, and stops the
//! machine again when that has ended.

#[path = "../../wire/src/layout.rs"]
#[allow(dead_code)]
mod layout;

mod archive;
mod channel;
mod facts;
mod mounts;
mod pci;
mod sys;
mod test_process;

use channel::Channel;
use layout::{FACTS, HEADER, PAYLOAD, stage, word};

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
    let channel = Channel::open(pci::enable(pci::IVSHMEM)?)?;
    let stop = pci::StopDevice::open()?;
    Ok((channel, stop))
}

fn live(channel: &Channel, stop: &pci::StopDevice) -> Result<(), Failure> {
    mounts::for_schedulers()?;
    facts::wait_until_idle();
    let facts = facts::gather()?;
    channel.write_area(FACTS, word::FACTS_LEN, facts.as_bytes())?;
    channel.set_u32(word::STAGE, stage::WAITING);
    facts::wait_until_idle();
    stop.stop_machine();

    // A clone's channel holds its work before its first instruction; in the template nobody lets the machine go on.
    while channel.u32(word::RUN) != 1 {
        std::hint::spin_loop();
    }
    channel.set_u64(word::AWAKE_NS, sys::monotonic_ns());
    channel.set_u32(word::STAGE, stage::AWAKE);
    sys::stir_random(channel.u64(word::SEED));
    let length = channel.u64(word::PAYLOAD_LEN);
    if length > PAYLOAD.size {
        return Err(format!("a payload of {length} bytes cannot be in a channel that has room for {}", PAYLOAD.size));
    }
    archive::unpack(&channel.map(PAYLOAD.offset, length as usize)?)?;
    let (kind, value) = test_process::run(channel)?;
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
