//! Small pieces of work that work types are put together from.

use std::time::Duration;

use ktstr_model::SchedPolicy;

use super::bench::Bench;
use super::settings::set_policy;
use super::work::{Trouble, Work};

/// Computes for this many iterations.
pub(crate) struct Spin(pub u64);

impl Work for Spin {
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        bench.spin(self.0);
        Ok(())
    }
}

/// Computes for this long.
pub(crate) struct SpinFor(pub Duration);

impl Work for SpinFor {
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        bench.spin_for(self.0);
        Ok(())
    }
}

/// Computes for some 200 to 300 us.
pub(crate) struct SpinOn;

impl Work for SpinOn {
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        bench.spin_one_checkpoint();
        Ok(())
    }
}

/// Sleeps for this long.
pub(crate) struct Sleep(pub Duration);

impl Work for Sleep {
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        bench.sleep(self.0)
    }
}

/// Offers the CPU to others.
pub(crate) struct Yield;

impl Work for Yield {
    fn step(&mut self, _: &mut Bench<'_>) -> Result<(), Trouble> {
        rustix::thread::sched_yield();
        Ok(())
    }
}

/// One piece, then the other.
pub(crate) struct Then<A, B>(pub A, pub B);

impl<A: Work, B: Work> Work for Then<A, B> {
    fn prepare(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        self.0.prepare(bench)?;
        self.1.prepare(bench)
    }

    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        self.0.step(bench)?;
        self.1.step(bench)
    }
}

/// Work under a policy of its own, whatever the workers of its cgroup have otherwise.
pub(crate) struct Under<W>(pub SchedPolicy, pub W);

impl<W: Work> Work for Under<W> {
    fn prepare(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        set_policy(self.0)?;
        self.1.prepare(bench)
    }

    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        self.1.step(bench)
    }
}
