//! `Sequence`: goes through phases, again and again.

use std::time::Duration;

use ktstr_model::Phase;
use rustix::fs::OFlags;

use super::Members;
use crate::clock::monotonic_ns;
use crate::worker::bench::{Bench, ns_from_now};
use crate::worker::work::{Trouble, Work, trouble};
use crate::worker::work_file::WorkFile;

/// What [`Phase::Io`] writes at once, always to the same place.
static BLOCK: [u8; 64 << 10] = [0x5a; 64 << 10];

struct Sequence {
    phases: Vec<Phase>,
    next: usize,
    /// Only where a phase wants it.
    file: Option<WorkFile>,
}

pub(super) fn members(first: Phase, rest: &[Phase]) -> Members {
    let phases = std::iter::once(&first).chain(rest).copied().collect();
    vec![Box::new(Sequence { phases, next: 0, file: None })]
}

impl Work for Sequence {
    fn prepare(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        if self.phases.iter().any(|phase| matches!(phase, Phase::Io(_))) {
            let file = WorkFile::new(0, OFlags::empty()).map_err(trouble("make its file"))?;
            bench.remark(&file.storage());
            self.file = Some(file);
        }
        Ok(())
    }

    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let phase = self.phases[self.next];
        self.next = (self.next + 1) % self.phases.len();
        match phase {
            Phase::Spin(duration) => bench.spin_for(duration),
            Phase::Sleep(duration) => bench.sleep(duration)?,
            Phase::Yield(duration) => repeat(duration, bench, || {
                rustix::thread::sched_yield();
                Ok(())
            })?,
            Phase::Io(duration) => {
                let Some(file) = &self.file else { return Ok(()) };
                repeat(duration, bench, || {
                    file.write_at(&BLOCK, 0)?;
                    file.wait_for_storage()
                })?;
            }
        }
        Ok(())
    }
}

/// Does it again and again for this long, or until the worker is to stop.
fn repeat(
    duration: Duration,
    bench: &Bench<'_>,
    mut action: impl FnMut() -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let end_ns = ns_from_now(duration);
    while monotonic_ns() < end_ns && !bench.stopped() {
        action()?;
    }
    Ok(())
}
