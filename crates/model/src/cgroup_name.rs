//! Names of cgroups.

/// A text that names no cgroup below another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` is no name for a cgroup ({why}): use one or more parts without dots in front, joined by single slashes"
)]
pub struct CgroupNameError {
    /// The text.
    pub name: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// The name of a cgroup below another, such as `workloads/test`. It leads nowhere else.
///
/// # Errors
/// When it is no such name.
pub fn cgroup_name(name: &str) -> Result<&str, CgroupNameError> {
    let nothing = name.is_empty().then_some("it names nothing");
    match nothing.or_else(|| name.split('/').find_map(wrong_part)) {
        Some(why) => Err(CgroupNameError { name: name.to_owned(), why }),
        None => Ok(name),
    }
}

/// A scheduler's `cgroup_parent`: a name below the cgroup root, with or without the root's slash, which is taken off.
///
/// # Errors
/// When it is no such name.
pub fn cgroup_parent(path: &str) -> Result<&str, CgroupNameError> {
    let name = path.strip_prefix('/').unwrap_or(path);
    cgroup_name(name).map_err(|error| CgroupNameError { name: path.to_owned(), ..error })
}

/// A name of a cgroup as messages show it: one that is empty would not be seen.
pub fn shown_name(name: &str) -> &str {
    if name.is_empty() { "\"\"" } else { name }
}

/// The kernel's longest name (NAME_MAX).
const LONGEST: usize = 255;

fn wrong_part(part: &str) -> Option<&'static str> {
    match part {
        "" => Some("a part of it is empty"),
        _ if part.starts_with('.') => Some("a part of it begins with a dot"),
        _ if part.contains(char::is_control) => Some("it has control characters"),
        _ if part.len() > LONGEST => Some("a part of it is longer than 255 bytes"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_parent_may_begin_at_the_root() {
        for (path, name) in
            [("/ktstr", "ktstr"), ("ktstr", "ktstr"), ("/a/b", "a/b"), ("a..b/c d", "a..b/c d")]
        {
            assert_eq!(cgroup_parent(path), Ok(name));
        }
        assert_eq!(cgroup_name("a/b"), Ok("a/b"));
        assert!(cgroup_name("/a").is_err());
        assert!(
            cgroup_name("")
                .unwrap_err()
                .to_string()
                .starts_with("`` is no name for a cgroup (it names nothing)")
        );
    }

    #[test]
    fn what_leads_elsewhere_is_refused_with_the_text() {
        for path in ["", "/", "//", "//a", "a//b", "a/", ".", "./a", "..", "a/../b", "/..", "a\nb", "a\0"] {
            let error = cgroup_parent(path).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{path}` is no name for a cgroup (")), "{error}");
            assert!(cgroup_name(path).is_err(), "{path}");
        }
        assert!(cgroup_name(&"a".repeat(256)).is_err());
    }

    proptest! {
        #[test]
        fn what_is_accepted_stays_below(path in "[a-b./ ]{0,8}") {
            if let Ok(name) = cgroup_parent(&path) {
                let parts: Vec<_> = Path::new(name).components().collect();
                prop_assert!(parts.iter().all(|part| matches!(part, Component::Normal(_))));
                prop_assert_eq!(parts.len(), name.split('/').count());
                prop_assert_eq!(cgroup_name(name), Ok(name));
            }
        }

        #[test]
        fn no_text_breaks_it(path: String) {
            drop(cgroup_parent(&path));
        }
    }
}
