//! `IoRandRead`: reads 4 KiB at a random place of its file.

use rustix::fs::OFlags;

use super::Members;
use crate::worker::bench::Bench;
use crate::worker::work::{Trouble, Work, trouble};
use crate::worker::work_file::WorkFile;

const BLOCK: usize = 4096;
const BLOCKS: usize = 256;

struct IoRandRead {
    file: Option<WorkFile>,
    block: Vec<u8>,
}

pub(super) fn members() -> Members {
    vec![Box::new(IoRandRead { file: None, block: vec![0; BLOCK] })]
}

impl Work for IoRandRead {
    fn prepare(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let file = WorkFile::new(BLOCKS * BLOCK, OFlags::empty()).map_err(trouble("make its file"))?;
        bench.remark(&file.storage());
        self.file = Some(file);
        Ok(())
    }

    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let at = bench.random().below(BLOCKS as u32) as usize * BLOCK;
        self.file.as_ref().map_or(Ok(()), |file| file.read_at(&mut self.block, at))
    }
}
