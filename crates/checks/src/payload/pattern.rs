//! Figures found by regular expressions.

use regex_lite::{Regex, RegexBuilder};

/// The pattern, if it is one with a group.
///
/// # Errors
/// What is wrong with it.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    let regex = RegexBuilder::new(pattern).multi_line(true).build().map_err(|error| error.to_string())?;
    if regex.captures_len() < 2 {
        return Err("it has no group in parentheses that says where the number is".to_owned());
    }
    Ok(regex)
}

/// The number in the first group of the last match; `None` without a match.
///
/// # Errors
/// When the pattern is none, or the group matches no number.
pub(super) fn find(pattern: &str, text: &str) -> Result<Option<f64>, String> {
    let Some(found) = compile(pattern)?.captures_iter(text).last() else { return Ok(None) };
    let group = found.get(1).map_or("", |group| group.as_str());
    let number =
        group.parse().map_err(|_| format!("pattern `{pattern}` matches `{group}`, which is no number"));
    number.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_match_counts() {
        let text = "T: 0 Max: 12\nT: 1 Max: 340\nrun time 1.25e3 ms\n";
        assert_eq!(find(r"Max:\s+(\d+)", text), Ok(Some(340.0)));
        assert_eq!(find(r"^run time (\S+)", text), Ok(Some(1250.0)));
        assert_eq!(find(r"Min: (\d+)", text), Ok(None));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(
            find("time (\\S+)", "time soon").unwrap_err(),
            "pattern `time (\\S+)` matches `soon`, which is no number"
        );
        assert!(compile("a+").unwrap_err().contains("no group in parentheses"));
        assert!(compile("(a").is_err());
    }
}
