//! Which of several names a person meant.

/// Why it is not clear which.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unclear {
    /// Several begin with the text.
    Ambiguous(Vec<String>),
    /// None does; all names, the likeliest first.
    Unknown(Vec<String>),
}

/// The place of the name that `text` is, or else of the one that begins with it.
pub(crate) fn choose(text: &str, names: &[String]) -> Result<usize, Unclear> {
    if let Some(same) = names.iter().position(|name| name == text) {
        return Ok(same);
    }
    let begins = |name: &String| !text.is_empty() && name.starts_with(text);
    let begin: Vec<usize> = (0..names.len()).filter(|at| begins(&names[*at])).collect();
    match begin[..] {
        [one] => Ok(one),
        [] => {
            let mut near = names.to_vec();
            near.sort_by_cached_key(|name| strsim::damerau_levenshtein(name, text));
            Err(Unclear::Unknown(near))
        }
        _ => Err(Unclear::Ambiguous(begin.into_iter().map(|at| names[at].clone()).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_name_goes_before_a_beginning() {
        let names = ["7.3.4-abc", "7.3.4-abc-dirty", "6.18-abc"].map(str::to_owned);
        assert_eq!(choose("7.3.4-abc", &names), Ok(0));
        assert_eq!(choose("6", &names), Ok(2));
        assert_eq!(choose("7.3", &names), Err(Unclear::Ambiguous(names[..2].to_vec())));
        let Err(Unclear::Unknown(near)) = choose("6.19-abc", &names) else { panic!() };
        assert_eq!(near[0], "6.18-abc");
        assert!(matches!(choose("", &names), Err(Unclear::Unknown(_))));
    }
}
