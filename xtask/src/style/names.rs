//! Names that say nothing.

use std::path::Path;

use super::finding::Finding;

const EMPTY_NAMES: [&str; 7] = ["utils", "util", "helpers", "helper", "manager", "common", "misc"];
const EMPTY_ENDINGS: [&str; 3] = ["impl", "inner", "v2"];
const ADVICE: &str = "name it after what is in it";

/// Checks the names of a file and of its folders.
pub fn check_path(path: &Path) -> Vec<Finding> {
    path.iter()
        .filter_map(|part| Path::new(part).file_stem()?.to_str())
        .filter(|name| says_nothing(name))
        .map(|name| Finding::new(path, 0, format!("the name `{name}` says nothing"), ADVICE))
        .collect()
}

/// Checks the modules that a Rust file declares.
pub fn check_modules(path: &Path, text: &str) -> Vec<Finding> {
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let name = module_declared_by(line).filter(|name| says_nothing(name))?;
            Some(Finding::new(path, index, format!("the module name `{name}` says nothing"), ADVICE))
        })
        .collect()
}

fn says_nothing(name: &str) -> bool {
    let ending = name.rsplit_once(['_', '-']).map(|(_, ending)| ending);
    EMPTY_NAMES.contains(&name) || ending.is_some_and(|ending| EMPTY_ENDINGS.contains(&ending))
}

/// The name in `mod name;`, `pub(crate) mod name {` and the like.
fn module_declared_by(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace().skip_while(|word| word.starts_with("pub"));
    (words.next()? == "mod").then_some(())?;
    Some(words.next()?.trim_end_matches([';', '{']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_names_are_found_in_files_and_folders() {
        let found = |path: &str| check_path(Path::new(path)).len();
        assert_eq!(found("crates/vm/src/utils.rs"), 1);
        assert_eq!(found("crates/common/src/lib.rs"), 1);
        assert_eq!(found("crates/vm/src/template_impl.rs"), 1);
        assert_eq!(found("crates/vm/src/template_v2.rs"), 1);
        assert_eq!(found("crates/vm/src/template.rs"), 0);
        assert_eq!(found("crates/vm/src/common_clock.rs"), 0);
    }

    #[test]
    fn empty_names_are_found_in_modules() {
        let found = |line: &str| check_modules(Path::new("a.rs"), line).len();
        assert_eq!(found("mod helpers;"), 1);
        assert_eq!(found("pub(crate) mod run_inner {"), 1);
        assert_eq!(found("mod tests {"), 0);
        assert_eq!(found("// mod helpers;"), 0);
    }
}
