//! On which NUMA nodes memory lies.

use std::ops::Range;

use super::shared::MOST_NODES;

/// Pages that the kernel is asked about at once.
const BATCH: usize = 512;
const PAGE: usize = 4096;

/// How many pages of these stretches of this process' memory are on each node. Pages that were never touched are on
/// none.
pub(crate) fn of(regions: &[Range<usize>]) -> [u32; MOST_NODES] {
    let mut on = [0; MOST_NODES];
    let pages: Vec<usize> =
        regions.iter().flat_map(|region| (region.start & !(PAGE - 1)..region.end).step_by(PAGE)).collect();
    for batch in pages.chunks(BATCH) {
        let mut nodes = [-1i32; BATCH];
        // SAFETY: both arrays have `batch.len()` elements; without target nodes nothing is moved.
        let asked = unsafe {
            let none = std::ptr::null::<libc::c_int>();
            libc::syscall(libc::SYS_move_pages, 0, batch.len(), batch.as_ptr(), none, nodes.as_mut_ptr(), 0)
        };
        if asked < 0 {
            break;
        }
        for node in &nodes[..batch.len()] {
            if let Some(pages) = usize::try_from(*node).ok().and_then(|node| on.get_mut(node)) {
                *pages += 1;
            }
        }
    }
    on
}
