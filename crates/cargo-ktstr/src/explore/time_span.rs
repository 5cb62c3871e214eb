//! Times on the command line.

use std::time::Duration;

/// Reads a time such as `200ms`, `90s`, `10m` or `2h`, which is not zero.
///
/// # Errors
/// In words, for any other text.
pub fn parse(text: &str) -> Result<Duration, String> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let milliseconds: u64 = match &text[unit_at..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("a time is a whole number with a unit: 200ms, 90s, 10m, 2h".to_owned()),
    };
    let number: u64 =
        text[..unit_at].parse().map_err(|_| "a time begins with a whole number, as 10m".to_owned())?;
    match number.checked_mul(milliseconds) {
        Some(0) => Err("in no time nothing can be run".to_owned()),
        Some(milliseconds) => Ok(Duration::from_millis(milliseconds)),
        None => Err("longer than can be counted".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, milliseconds) in [("200ms", 200), ("90s", 90_000), ("10m", 600_000), ("2h", 7_200_000)] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)));
        }
        for text in
            ["", "10", "m", "-1s", "1.5h", "10 m", "0s", "99999999999999999999s", "9999999999999999999h"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
