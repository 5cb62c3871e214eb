//! `PageFaultChurn`: touches pages of memory that it has just given back, so that each faults.

use super::Members;
use crate::worker::bench::Bench;
use crate::worker::private_memory::PrivateMemory;
use crate::worker::work::{Trouble, Work};

struct PageFaultChurn {
    region_kb: usize,
    touches: usize,
    spin_iters: u64,
    memory: Option<PrivateMemory>,
}

pub(super) fn members(region_kb: usize, touches: usize, spin_iters: u64) -> Members {
    vec![Box::new(PageFaultChurn { region_kb, touches, spin_iters, memory: None })]
}

impl Work for PageFaultChurn {
    fn prepare(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let memory = self.memory.insert(PrivateMemory::new(self.region_kb)?);
        bench.working_set(memory);
        Ok(())
    }

    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let Some(memory) = &mut self.memory else { return Ok(()) };
        memory.give_back()?;
        let (pages, first) = (memory.pages(), bench.random().below(memory.pages() as u32) as usize);
        (0..self.touches).for_each(|touch| memory.touch((first + touch) % pages));
        bench.spin(self.spin_iters);
        Ok(())
    }
}
