//! `ProducerConsumerImbalance`: producers and consumers of one queue, at different speeds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::Members;
use crate::clock::monotonic_ns;
use crate::error::{GuestError, on_process};
use crate::worker::bench::Bench;
use crate::worker::futex;
use crate::worker::group::{Shared, Zeroable};
use crate::worker::work::{Trouble, Work};

const SECOND_NS: u64 = 1_000_000_000;

/// A queue of which only the length matters: its items are all alike.
#[repr(C)]
struct Queue {
    items: AtomicU64,
    /// A futex: changes with each item that comes.
    came: AtomicU32,
    /// A futex: changes with each item that goes.
    went: AtomicU32,
    came_ns: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Zeroable for Queue {}

struct Producer {
    queue: Arc<Shared<Queue>>,
    most_items: u64,
    period_ns: u64,
    next_ns: u64,
}

struct Consumer {
    queue: Arc<Shared<Queue>>,
    consume_iters: u64,
}

/// How many there are of each.
pub(super) struct Counts {
    pub producers: usize,
    pub consumers: usize,
}

pub(super) fn members(
    counts: &Counts,
    produce_rate_hz: u64,
    consume_iters: u64,
    most_items: u64,
) -> Result<Members, GuestError> {
    let queue = Arc::new(Shared::<Queue>::new(1).map_err(on_process("map memory for a group of workers"))?);
    let period_ns = SECOND_NS / produce_rate_hz.max(1);
    let mut members = Members::new();
    for _ in 0..counts.producers {
        members.push(Box::new(Producer { queue: Arc::clone(&queue), most_items, period_ns, next_ns: 0 }));
    }
    for _ in 0..counts.consumers {
        members.push(Box::new(Consumer { queue: Arc::clone(&queue), consume_iters }));
    }
    Ok(members)
}

impl Work for Producer {
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let now = monotonic_ns();
        if now < self.next_ns {
            bench.sleep_until(self.next_ns)?;
        }
        // Items that it could not make in time, because the queue was full, are not made up for.
        self.next_ns = self.next_ns.max(now.saturating_sub(self.period_ns)) + self.period_ns;
        let queue = &self.queue[0];
        loop {
            let went = queue.went.load(Ordering::Acquire);
            let room = |items| (items < self.most_items).then_some(items + 1);
            if queue.items.fetch_update(Ordering::AcqRel, Ordering::Acquire, room).is_ok() {
                break;
            }
            if bench.stopped() {
                return Ok(());
            }
            futex::wait(&queue.went, went)?;
        }
        queue.came_ns.store(monotonic_ns(), Ordering::Relaxed);
        queue.came.fetch_add(1, Ordering::Release);
        futex::wake(&queue.came, 1)
    }
}

impl Work for Consumer {
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let queue = &self.queue[0];
        let mut slept = false;
        loop {
            let came = queue.came.load(Ordering::Acquire);
            let one = |items: u64| items.checked_sub(1);
            if queue.items.fetch_update(Ordering::AcqRel, Ordering::Acquire, one).is_ok() {
                break;
            }
            if bench.stopped() {
                return Ok(());
            }
            futex::wait(&queue.came, came)?;
            slept = true;
        }
        if slept {
            bench.woken(queue.came_ns.load(Ordering::Relaxed));
        }
        queue.went.fetch_add(1, Ordering::Release);
        futex::wake(&queue.went, 1)?;
        bench.spin(self.consume_iters);
        Ok(())
    }
}
