//! What a program that the test process started prints.

use std::io::{self, PipeReader, Read as _};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// A thread that takes a program's output to where it is kept.
#[derive(Debug)]
pub(crate) struct Output {
    done: Receiver<()>,
}

impl Output {
    /// Begins to hand what comes from `pipe` to `keep`, in a thread of this name.
    ///
    /// # Errors
    /// When there can be no thread.
    pub(crate) fn copy(
        mut pipe: PipeReader,
        thread: &str,
        mut keep: impl FnMut(&[u8]) + Send + 'static,
    ) -> io::Result<Self> {
        let (end, done) = mpsc::channel();
        let copy = move || {
            let mut bytes = [0; 16 << 10];
            loop {
                match pipe.read(&mut bytes) {
                    Ok(0) => break,
                    Ok(len) => keep(&bytes[..len]),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => {
                        keep(format!("[output lost: {error}]\n").as_bytes());
                        break;
                    }
                }
            }
            drop(end);
        };
        thread::Builder::new().name(thread.to_owned()).spawn(copy)?;
        Ok(Self { done })
    }

    /// Waits until everything is copied, which is when the last process that has the pipe closes it; for at most 1 s, as
    /// the program may have left children behind.
    pub(crate) fn finish(&self) {
        // Disconnected is the end, and so is a timeout.
        let _ = self.done.recv_timeout(Duration::from_secs(1));
    }
}
