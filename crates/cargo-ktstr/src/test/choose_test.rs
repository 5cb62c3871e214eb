//! The test that was named.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::cells::is_cell;
use super::nextest_list::TestInBinary;
use crate::similar;

/// The one test of `name`, in the binary `binary` if that is given.
///
/// # Errors
/// When there is none, or more than one.
pub fn choose(name: &str, binary: Option<&str>, tests: Vec<TestInBinary>) -> Result<TestInBinary> {
    let in_binary = |test: &TestInBinary| binary.is_none_or(|binary| test.binary_id == binary);
    if let Some(binary) = binary.filter(|binary| !tests.iter().any(|test| test.binary_id == *binary)) {
        bail!("no test binary of this workspace is called `{binary}`: see `cargo nextest list`");
    }
    // Cells are many, and whoever means one knows the name of its test.
    let is_test = |test: &&TestInBinary| in_binary(test) && (is_cell(name) || !is_cell(&test.name));
    let names: BTreeSet<String> = tests.iter().filter(is_test).map(|test| test.name.clone()).collect();
    let mut found: Vec<TestInBinary> =
        tests.into_iter().filter(|test| test.name == name && in_binary(test)).collect();
    match (found.pop(), &found[..]) {
        (Some(test), []) => Ok(test),
        (Some(one), others) => {
            let ids: Vec<&str> = others.iter().chain([&one]).map(|test| test.binary_id.as_str()).collect();
            bail!("several test binaries have a test `{name}`: choose one with --binary: {}", ids.join(", "))
        }
        (None, _) => {
            let hint = match names.is_empty() {
                true => "there are none here".to_owned(),
                false => similar::hint(name, "there are", names),
            };
            let place = binary.map(|binary| format!(" in `{binary}`")).unwrap_or_default();
            bail!("there is no test `{name}`{place}: {hint}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tests() -> Vec<TestInBinary> {
        [("x", "steady"), ("y", "steady"), ("y", "inner::mixed")]
            .map(|(target, name)| TestInBinary::of(target, name))
            .to_vec()
    }

    fn refusal(name: &str, binary: Option<&str>) -> String {
        choose(name, binary, tests()).unwrap_err().to_string()
    }

    #[test]
    fn one_test_is_chosen_or_the_words_say_how() {
        assert_eq!(choose("inner::mixed", None, tests()).unwrap().binary_id, "a::y");
        assert_eq!(choose("steady", Some("a::x"), tests()).unwrap().binary_id, "a::x");
        insta::assert_snapshot!(refusal("steady", None), @"several test binaries have a test `steady`: choose one with --binary: a::x, a::y");
        insta::assert_snapshot!(refusal("mixed", None), @"there is no test `mixed`: did you mean inner::mixed?");
        insta::assert_snapshot!(refusal("inner::mixd", None), @"there is no test `inner::mixd`: did you mean inner::mixed?");
        insta::assert_snapshot!(refusal("other", Some("a::x")), @"there is no test `other` in `a::x`: there are steady");
        insta::assert_snapshot!(refusal("steady", Some("b")), @"no test binary of this workspace is called `b`: see `cargo nextest list`");
    }
}
