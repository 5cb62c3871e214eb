//! `EpollStorm`: producers that make events, and consumers that wait for them in one epoll.
//!
//! A producer makes its next burst when the last one is consumed: else events would pile up, and no consumer would ever
//! wait again.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;

use super::Members;
use crate::clock::monotonic_ns;
use crate::error::{GuestError, on_process};
use crate::worker::bench::Bench;
use crate::worker::futex;
use crate::worker::group::{Shared, Zeroable};
use crate::worker::work::{Trouble, Work, trouble, unless_interrupted};

/// What a producer's events are counted in.
#[repr(C)]
struct Burst {
    /// Events that nobody has consumed yet.
    left: AtomicU64,
    /// A futex: changes when the last one is.
    consumed: AtomicU32,
    /// When the last one was made.
    made_ns: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Zeroable for Burst {}

/// What the group has in common.
struct Events {
    epoll: OwnedFd,
    /// One of each producer.
    sources: Vec<OwnedFd>,
    bursts: Shared<Burst>,
}

struct Producer {
    events: Arc<Events>,
    own: usize,
    per_burst: u64,
}

struct Consumer {
    events: Arc<Events>,
}

pub(super) fn members(
    producers: usize,
    consumers: usize,
    events_per_burst: u64,
) -> Result<Members, GuestError> {
    let events = Arc::new(Events::new(producers)?);
    let mut members = Members::new();
    for own in 0..producers {
        members.push(Box::new(Producer { events: Arc::clone(&events), own, per_burst: events_per_burst }));
    }
    for _ in 0..consumers {
        members.push(Box::new(Consumer { events: Arc::clone(&events) }));
    }
    Ok(members)
}

impl Events {
    fn new(producers: usize) -> Result<Self, GuestError> {
        let epoll = epoll::create(CreateFlags::CLOEXEC).map_err(on_process("make an epoll for workers"))?;
        // As a semaphore each event has to be consumed on its own. Without blocking, because another consumer may be first.
        let flags = EventfdFlags::SEMAPHORE | EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC;
        let mut sources = Vec::with_capacity(producers);
        for own in 0..producers {
            let source = eventfd(0, flags).map_err(on_process("make an eventfd for workers"))?;
            epoll::add(&epoll, &source, EventData::new_u64(own as u64), EventFlags::IN)
                .map_err(on_process("add an eventfd to an epoll"))?;
            sources.push(source);
        }
        let bursts = Shared::new(producers).map_err(on_process("map memory for a group of workers"))?;
        Ok(Self { epoll, sources, bursts })
    }
}

impl Work for Producer {
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let (burst, source) = (&self.events.bursts[self.own], &self.events.sources[self.own]);
        let consumed = burst.consumed.load(Ordering::Acquire);
        burst.left.store(self.per_burst, Ordering::Release);
        for _ in 0..self.per_burst {
            if bench.stopped() {
                return Ok(());
            }
            burst.made_ns.store(monotonic_ns(), Ordering::Relaxed);
            let made = unless_interrupted(rustix::io::write(source, &1u64.to_ne_bytes()));
            made.map_err(trouble("make an event"))?;
        }
        while burst.consumed.load(Ordering::Acquire) == consumed && !bench.stopped() {
            futex::wait(&burst.consumed, consumed)?;
        }
        Ok(())
    }
}

impl Work for Consumer {
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let mut ready = [Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }];
        let waited = unless_interrupted(epoll::wait(&self.events.epoll, &mut ready, None));
        if waited.map_err(trouble("wait for events"))?.unwrap_or(0) == 0 {
            return Ok(());
        }
        let from = ready[0].data.u64() as usize;
        let (burst, source) = (&self.events.bursts[from], &self.events.sources[from]);
        match rustix::io::read(source, &mut [0; 8]) {
            Ok(_) => {}
            // Another was first.
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(errno) => return Err(trouble("consume an event")(errno)),
        }
        bench.woken(burst.made_ns.load(Ordering::Relaxed));
        if burst.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            burst.consumed.fetch_add(1, Ordering::Release);
            futex::wake(&burst.consumed, 1)?;
        }
        Ok(())
    }
}
