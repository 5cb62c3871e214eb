//! Sizes in bytes, as people write and read them.

/// `1.2 GB`, `34.5 MB`.
pub fn format_bytes(bytes: u64) -> String {
    let bytes = bytes as f64;
    if bytes >= 1e9 { format!("{:.1} GB", bytes / 1e9) } else { format!("{:.1} MB", bytes / 1e6) }
}

/// Reads `500000`, `500K`, `20M`, `4G`: decimal units, as [`format_bytes`] prints them.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let text = text.strip_suffix('B').unwrap_or(text);
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1_000),
        Some((at, 'm' | 'M')) => (&text[..at], 1_000_000),
        Some((at, 'g' | 'G')) => (&text[..at], 1_000_000_000),
        _ => (text, 1),
    };
    let number = digits.trim().parse::<u64>().ok();
    number
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| "give a whole number of bytes, or one with K, M or G, such as 4G".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_sizes() {
        for (text, bytes) in [
            ("0", 0),
            ("512", 512),
            ("3k", 3_000),
            ("20M", 20_000_000),
            ("4GB", 4_000_000_000),
            ("4 G", 4_000_000_000),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for text in ["", "G", "-1", "1.5G", "1T", "99999999999G", "é"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
        assert_eq!(format_bytes(34_520_000), "34.5 MB");
        assert_eq!(format_bytes(1_234_000_000), "1.2 GB");
    }
}
