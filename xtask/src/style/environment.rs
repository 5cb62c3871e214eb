//! Every environment variable of ours is in the book, and the book names no other.

use std::collections::BTreeSet;
use std::path::Path;

use super::finding::Finding;

/// The page that lists them.
pub const PAGE: &str = "docs/src/running-tests/environment.md";
const PREFIX: &str = "KTSTR_";
/// Build scripts tell them to their own crates; nobody else reads or sets them.
const OF_THE_BUILD: [&str; 2] = ["KTSTR_AGENT", "KTSTR_LOCKSTEP"];

/// The variables that a Rust file names, each as a text of its own, with the index of the line. What only tests name is
/// none: neither in `tests/` nor in a module of tests.
pub fn named_in(path: &Path, text: &str) -> Vec<(usize, String)> {
    if path.iter().any(|part| part == "tests") {
        return Vec::new();
    }
    let product = text.lines().take_while(|line| line.trim() != "mod tests {").enumerate();
    let named = product.flat_map(|(index, line)| {
        let quoted = line.split('"').skip(1).step_by(2).filter(|text| is_variable(text));
        quoted.map(move |name| (index, name.to_owned()))
    });
    named.filter(|(_, name)| !OF_THE_BUILD.contains(&name.as_str())).collect()
}

/// Variables that are named in a file and not listed on `page`.
pub fn check_listed(path: &Path, named: &[(usize, String)], page: &str) -> Vec<Finding> {
    let listed = listed_on(page);
    let absent = named.iter().filter(|(_, name)| !listed.contains(name.as_str()));
    let what = |name: &str| format!("the environment variable {name} is not in {PAGE}");
    absent.map(|(index, name)| Finding::new(path, *index, what(name), "say there what it does")).collect()
}

/// Variables that are listed on `page` and that no file names.
pub fn check_real(page: &str, named: &BTreeSet<String>) -> Vec<Finding> {
    let unknown = listed_on(page).into_iter().filter(|name| is_variable(name) && !named.contains(*name));
    let line = |name: &str| page.lines().position(|line| line.contains(name)).unwrap_or(0);
    let what = |name: &str| format!("nothing reads the environment variable {name}");
    unknown
        .map(|name| Finding::new(Path::new(PAGE), line(name), what(name), "take it off the page"))
        .collect()
}

/// The names in the first column of the page's tables.
fn listed_on(page: &str) -> BTreeSet<&str> {
    page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

fn is_variable(text: &str) -> bool {
    text.strip_prefix(PREFIX).is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str =
        "let a = read(\"KTSTR_A\");\nlet b = \"say KTSTR_B\"; // KTSTR_C\nmod tests {\n\"KTSTR_D\"\n}";

    #[test]
    fn texts_of_their_own_are_variables() {
        let named = named_in(Path::new("src/a.rs"), CODE);
        assert_eq!(named, [(0, "KTSTR_A".to_owned())]);
        assert!(named_in(Path::new("crates/a/tests/b.rs"), CODE).is_empty());
        assert!(named_in(Path::new("src/a.rs"), "env!(\"KTSTR_AGENT\")").is_empty());
    }

    #[test]
    fn code_and_page_have_to_agree() {
        let path = Path::new("src/a.rs");
        let named = named_in(path, CODE);
        assert!(check_listed(path, &named, "| `KTSTR_A` | path |").is_empty());
        let found = check_listed(path, &named, "`KTSTR_A` in passing");
        assert!(found[0].to_string().starts_with("src/a.rs:1: the environment variable KTSTR_A is not in"));
        let all: BTreeSet<String> = named.into_iter().map(|(_, name)| name).collect();
        assert!(check_real("| `KTSTR_A` |\n| `BPF_CLANG` |", &all).is_empty());
        let found = check_real("| `KTSTR_A` |\n| `KTSTR_B` |", &all);
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().contains("environment.md:2: nothing reads"), "{}", found[0]);
    }
}
