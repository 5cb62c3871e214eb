//! What a payload's program wrote on one of its outputs, as far as it is kept.

use std::io::{self, PipeReader};
use std::sync::{Arc, Mutex, PoisonError};

use crate::output::Output;

/// Bytes of one output that are kept: the last ones.
const KEPT: usize = 4 << 20;

/// An output that is being read.
#[derive(Debug)]
pub(super) struct Capture {
    output: Output,
    text: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    lost: usize,
}

impl Kept {
    fn append(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        // Now and then, as the rest is moved.
        if self.bytes.len() > 2 * KEPT {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let lost = self.bytes.len().saturating_sub(KEPT);
        self.bytes.drain(..lost);
        self.lost += lost;
    }
}

impl Capture {
    /// Begins to read `pipe`.
    ///
    /// # Errors
    /// When there can be no thread.
    pub(super) fn of(pipe: PipeReader) -> io::Result<Self> {
        let text = Arc::<Mutex<Kept>>::default();
        let keep = Arc::clone(&text);
        let append = move |bytes: &[u8]| keep.lock().unwrap_or_else(PoisonError::into_inner).append(bytes);
        Ok(Self { output: Output::copy(pipe, "payload-output", append)?, text })
    }

    /// All that is kept, once the program has closed the output.
    pub(super) fn finish(&self) -> String {
        self.output.finish();
        let mut kept = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        kept.drop_oldest();
        let text = String::from_utf8_lossy(&kept.bytes);
        match kept.lost {
            0 => text.into_owned(),
            lost => format!("[the first {lost} bytes are lost]\n{text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn the_last_bytes_are_kept_and_what_is_lost_is_said() {
        let (reader, mut writer) = io::pipe().unwrap();
        let capture = Capture::of(reader).unwrap();
        let line = [b'x'; 1024];
        for _ in 0..(5 << 20) / line.len() {
            writer.write_all(&line).unwrap();
        }
        writer.write_all(b"end").unwrap();
        drop(writer);
        let text = capture.finish();
        assert!(text.starts_with("[the first 1048579 bytes are lost]\nxx"), "{}", &text[..60]);
        assert!(text.ends_with("xend"));
    }
}
