//! How long ago something was, for people.

use std::time::{Duration, SystemTime};

/// An age in its largest whole unit: `3 days`, `1 hour`, `just now` below a minute.
pub fn format_age(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    let (count, unit) = match minutes {
        0 => return "just now".into(),
        1..60 => (minutes, "minute"),
        60..1440 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// [`format_age`] of a moment, as it ends a sentence: `3 days ago`, `just now`.
pub(crate) fn ago(moment: SystemTime) -> String {
    // A moment in the future is a clock that was set back: no age to speak of.
    let age = format_age(moment.elapsed().unwrap_or_default());
    if age == "just now" { age } else { format!("{age} ago") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_largest_unit() {
        let age = |seconds| format_age(Duration::from_secs(seconds));
        assert_eq!(age(59), "just now");
        assert_eq!(age(60), "1 minute");
        assert_eq!(age(3599), "59 minutes");
        assert_eq!(age(3600), "1 hour");
        assert_eq!(age(86_399), "23 hours");
        assert_eq!(age(3 * 86_400), "3 days");
        assert_eq!(ago(SystemTime::now() - Duration::from_secs(7200)), "2 hours ago");
    }
}
