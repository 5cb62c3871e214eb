//! Workers in a ring: one of them has the turn, does its work and wakes the next.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use ktstr_model::WakeMechanism;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};

use super::bench::Bench;
use super::futex;
use super::group::{Shared, Zeroable};
use super::kinds::Members;
use super::work::{Trouble, Work, trouble, unless_interrupted};
use crate::clock::monotonic_ns;
use crate::error::{GuestError, on_process};

/// A group of `len` in a ring, each with its own work, given by its place. The first begins. A step is one turn.
///
/// # Errors
/// When there are no pipes, or no memory, for them to wake each other with.
pub(crate) fn ring<W: Work + 'static>(
    len: usize,
    wake: WakeMechanism,
    mut work: impl FnMut(usize) -> W,
) -> Result<Members, GuestError> {
    let mut members: Members = Vec::with_capacity(len);
    for (place, link) in links(len, wake)?.into_iter().enumerate() {
        members.push(Box::new(InTurn { link, has_turn: place == 0, work: work(place) }));
    }
    Ok(members)
}

struct InTurn<W> {
    link: Link,
    has_turn: bool,
    work: W,
}

impl<W: Work> Work for InTurn<W> {
    fn prepare(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        self.work.prepare(bench)
    }

    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        if !self.has_turn {
            let Some(woken_ns) = self.link.wait(bench)? else { return Ok(()) };
            bench.woken(woken_ns);
            self.has_turn = true;
        }
        self.work.step(bench)?;
        self.has_turn = !self.link.wake(bench)?;
        Ok(())
    }
}

/// What connects a member to the one before and the one after it.
enum Link {
    Futex { seats: Arc<Shared<Seat>>, own: usize },
    Pipe { from: OwnedFd, to: OwnedFd },
}

/// A member's place, in memory that the ring shares.
#[repr(C)]
struct Seat {
    /// A futex: 1 when it has the turn.
    turn: AtomicU32,
    woken_ns: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Zeroable for Seat {}

fn links(len: usize, wake: WakeMechanism) -> Result<Vec<Link>, GuestError> {
    if wake == WakeMechanism::Futex {
        let seats = Shared::new(len).map_err(on_process("map memory for a group of workers"))?;
        let seats = Arc::new(seats);
        return Ok((0..len).map(|own| Link::Futex { seats: Arc::clone(&seats), own }).collect());
    }
    let pipe = |_| pipe_with(PipeFlags::CLOEXEC).map_err(on_process("make a pipe for workers"));
    let (mut from, to): (Vec<OwnedFd>, Vec<OwnedFd>) =
        (0..len).map(pipe).collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    // Each reads what the one before it writes.
    from.rotate_right(1);
    Ok(from.into_iter().zip(to).map(|(from, to)| Link::Pipe { from, to }).collect())
}

impl Link {
    /// Waits for the turn; when it was given, or `None` when the worker was interrupted.
    fn wait(&self, bench: &Bench<'_>) -> Result<Option<u64>, Trouble> {
        match self {
            Self::Futex { seats, own } => {
                let seat = &seats[*own];
                while seat.turn.swap(0, Ordering::Acquire) == 0 {
                    if bench.stopped() {
                        return Ok(None);
                    }
                    futex::wait(&seat.turn, 0)?;
                }
                Ok(Some(seat.woken_ns.load(Ordering::Relaxed)))
            }
            Self::Pipe { from, .. } => {
                let mut message = [0; 8];
                let got = unless_interrupted(rustix::io::read(from, &mut message));
                match got.map_err(trouble("read from a pipe"))? {
                    Some(0) if !bench.stopped() => Err(trouble("read from a pipe")(Errno::PIPE)),
                    got => Ok((got == Some(message.len())).then(|| u64::from_ne_bytes(message))),
                }
            }
        }
    }

    /// Gives the turn to the next; whether that came about. Not when the next has been stopped already.
    fn wake(&self, bench: &Bench<'_>) -> Result<bool, Trouble> {
        let now = monotonic_ns();
        match self {
            Self::Futex { seats, own } => {
                let next = &seats[(own + 1) % seats.len()];
                next.woken_ns.store(now, Ordering::Relaxed);
                next.turn.store(1, Ordering::Release);
                futex::wake(&next.turn, 1)?;
                Ok(true)
            }
            Self::Pipe { to, .. } => {
                // The message is when it was sent.
                match unless_interrupted(rustix::io::write(to, &now.to_ne_bytes())) {
                    Err(Errno::PIPE) if bench.stopped() => Ok(false),
                    sent => Ok(sent.map_err(trouble("write to a pipe"))?.is_some()),
                }
            }
        }
    }
}
