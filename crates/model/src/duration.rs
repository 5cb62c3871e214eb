//! Printing times at a scale a person can read.

/// `ns` nanoseconds with a fitting unit and three significant figures or so: `870 ns`, `12.3 us`, `4.56 ms`, `2.10 s`.
pub fn format_ns(ns: u64) -> String {
    let value = ns as f64;
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{:.1} us", value / 1e3),
        1_000_000..1_000_000_000 => format!("{:.2} ms", value / 1e6),
        _ => format!("{:.2} s", value / 1e9),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn picks_the_unit() {
        let printed: Vec<String> = [870, 12_300, 4_560_000, 2_100_000_000].map(super::format_ns).into();
        assert_eq!(printed, ["870 ns", "12.3 us", "4.56 ms", "2.10 s"]);
    }
}
