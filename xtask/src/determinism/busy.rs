//! Something else that keeps every CPU of the host busy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, available_parallelism, spawn};

/// A spinning thread for each CPU, until it is dropped.
pub struct BusyHost {
    over: Arc<AtomicBool>,
    spinners: Vec<JoinHandle<()>>,
}

impl BusyHost {
    /// Starts them.
    pub fn begin() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let spinner = |_| {
            let over = over.clone();
            spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        };
        let cpus = available_parallelism().map_or(1, usize::from);
        let spinners = (0..cpus).map(spinner).collect();
        Self { over, spinners }
    }
}

impl Drop for BusyHost {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for spinner in self.spinners.drain(..) {
            // A spinner has nothing that could panic.
            let _ = spinner.join();
        }
    }
}
