//! Guessing what was meant by a name that nothing has.

/// At most so many slips make a near miss.
const NEAR: usize = 2;

/// The one of `known` that `typed` is a slip of the pen of, if there is one.
pub fn near_miss<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (slips, near) = known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(typed, known), known))
        .min_by_key(|(slips, _)| *slips)?;
    // Of a short name, two slips leave nothing.
    (slips <= NEAR && slips < typed.len() / 2).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_slips_are_near_and_three_are_not() {
        let near = |typed| near_miss(typed, ["llcs", "threads"]);
        assert_eq!(near("lcls"), Some("llcs"));
        assert_eq!(near("treaths"), None);
        assert_eq!(near("thraeds"), Some("threads"));
        assert_eq!(near("ll"), None);
        assert_eq!(near_miss("x", []), None);
    }
}
