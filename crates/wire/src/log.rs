//! Reading a log area: the last bytes of an endless text.

use crate::layout::LOG_HEADER;

/// The text of a log area.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogText {
    /// What the area still holds, oldest first.
    pub text: String,
    /// Bytes that were written before it and are gone.
    pub lost_bytes: u64,
}

/// Reads a log area, given as all its bytes. Bytes that are not UTF-8 are replaced.
pub fn read_log(area: &[u8]) -> LogText {
    let Some((header, ring)) = area.split_at_checked(LOG_HEADER as usize) else { return LogText::default() };
    let mut written = [0; 8];
    written.copy_from_slice(&header[..8]);
    let written = u64::from_le_bytes(written);
    let size = ring.len() as u64;
    if written <= size {
        let text = String::from_utf8_lossy(&ring[..written as usize]).into_owned();
        return LogText { text, lost_bytes: 0 };
    }
    let (newer, older) = ring.split_at((written % size) as usize);
    let text = String::from_utf8_lossy(&[older, newer].concat()).into_owned();
    LogText { text, lost_bytes: written - size }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a guest does: append to the ring, count all bytes.
    fn write(area: &mut [u8], text: &[u8]) {
        let (header, ring) = area.split_at_mut(LOG_HEADER as usize);
        let mut written = u64::from_le_bytes(header[..8].try_into().unwrap());
        for byte in text {
            ring[(written % ring.len() as u64) as usize] = *byte;
            written += 1;
        }
        header[..8].copy_from_slice(&written.to_le_bytes());
    }

    proptest! {
        #[test]
        fn holds_the_last_bytes(texts in proptest::collection::vec("[a-z]{0,40}", 0..8)) {
            let mut area = vec![0; LOG_HEADER as usize + 50];
            texts.iter().for_each(|text| write(&mut area, text.as_bytes()));
            let all = texts.concat();
            let log = read_log(&area);
            prop_assert_eq!(log.lost_bytes as usize, all.len().saturating_sub(50));
            prop_assert_eq!(&log.text, &all[log.lost_bytes as usize..]);
        }
    }

    #[test]
    fn an_untouched_area_is_empty() {
        assert_eq!(read_log(&[0; 128]), LogText::default());
        assert_eq!(read_log(&[]), LogText::default());
    }
}
