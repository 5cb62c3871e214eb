//! `IoSyncWrite`: writes 64 KiB to a file of its own and waits until they are on disk.

use rustix::fs::OFlags;

use super::Members;
use crate::worker::bench::Bench;
use crate::worker::work::{Trouble, Work, trouble};
use crate::worker::work_file::WorkFile;

const BLOCK: usize = 64 << 10;
/// After this many blocks it begins anew, so that the file does not fill the storage.
const BLOCKS: usize = 16;

struct IoSyncWrite {
    file: Option<WorkFile>,
    block: Vec<u8>,
    next: usize,
}

pub(super) fn members() -> Members {
    vec![Box::new(IoSyncWrite { file: None, block: vec![0xa5; BLOCK], next: 0 })]
}

impl Work for IoSyncWrite {
    fn prepare(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let file = WorkFile::new(0, OFlags::empty()).map_err(trouble("make its file"))?;
        bench.remark(&file.storage());
        self.file = Some(file);
        Ok(())
    }

    fn step(&mut self, _: &mut Bench<'_>) -> Result<(), Trouble> {
        let Some(file) = &self.file else { return Ok(()) };
        file.write_at(&self.block, self.next * BLOCK)?;
        self.next = (self.next + 1) % BLOCKS;
        file.wait_for_storage()
    }
}
