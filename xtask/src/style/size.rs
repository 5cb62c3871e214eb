//! A file that grows past the limit has two subjects.

use std::path::Path;

use super::finding::Finding;

/// Lines that a Rust file may have, its tests not counted.
const LIMIT: usize = 600;

/// Finds a file that is too long.
pub fn check(path: &Path, text: &str) -> Option<Finding> {
    let is_test = path.file_name()? == "tests.rs" || path.iter().any(|folder| folder == "tests");
    let lines = lines_outside_tests(text);
    let finding = || {
        let what = format!("{lines} lines without tests, {LIMIT} is the limit");
        Finding::new(path, LIMIT, what, "find the second subject and give it a file")
    };
    (!is_test && lines > LIMIT).then(finding)
}

/// Counts lines outside `#[cfg(test)] mod tests { ... }`, whose closing brace rustfmt puts at the line's start.
fn lines_outside_tests(text: &str) -> usize {
    let mut lines = text.lines();
    let mut count = 0;
    while let Some(line) = lines.next() {
        count += 1;
        if line == "mod tests {" {
            lines.by_ref().find(|line| *line == "}");
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_do_not_count() {
        let text = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {\n    }\n}\nfn c() {}\n";
        assert_eq!(lines_outside_tests(text), 5);
    }

    #[test]
    fn only_long_files_are_found() {
        let check = |path: &str, lines: usize| check(Path::new(path), &"\n".repeat(lines)).is_some();
        assert!(!check("src/a.rs", 600));
        assert!(check("src/a.rs", 601));
        assert!(!check("src/a/tests.rs", 601));
        assert!(!check("tests/vm_a.rs", 601));
    }
}
