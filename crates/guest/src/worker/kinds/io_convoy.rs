//! `IoConvoy`: alternates between appending with a wait for the disk and random reads. All such workers of a test share
//! one file, so that they queue behind each other.

use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::OFlags;

use super::Members;
use crate::error::{GuestError, on_process};
use crate::worker::bench::Bench;
use crate::worker::work::{Trouble, Work};
use crate::worker::work_file::WorkFile;

const BLOCK: usize = 4096;
/// Blocks that are always there to be read.
const LEAST: usize = 64;
/// Blocks at which the file is cut.
const MOST: usize = 1024;

/// The file, from the first worker on. The test process keeps it, because members are dropped there once they are forked.
static FILE: Mutex<Option<Arc<WorkFile>>> = Mutex::new(None);

struct IoConvoy {
    file: Arc<WorkFile>,
    block: Vec<u8>,
    /// Whether its last step was a read.
    reads: bool,
}

pub(super) fn members() -> Result<Members, GuestError> {
    let mut shared = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    let file = match &*shared {
        Some(file) => Arc::clone(file),
        None => {
            let made = WorkFile::new(LEAST * BLOCK, OFlags::APPEND);
            let made = made.map_err(on_process("make a file for workers"))?;
            Arc::clone(shared.insert(Arc::new(made)))
        }
    };
    Ok(vec![Box::new(IoConvoy { file, block: vec![0x5a; BLOCK], reads: true })])
}

impl Work for IoConvoy {
    fn prepare(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        bench.remark(&self.file.storage());
        Ok(())
    }

    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        self.reads = !self.reads;
        if self.reads {
            let at = bench.random().below(LEAST as u32) as usize * BLOCK;
            return self.file.read_at(&mut self.block, at);
        }
        self.file.append(&self.block, LEAST * BLOCK, MOST * BLOCK)?;
        self.file.wait_for_storage()
    }
}
