//! The text of `cgroup_parent`.

/// What is wrong with `path`, if anything.
pub fn wrong(path: &str) -> Option<String> {
    let why = if path.split('/').any(|part| part == "..") {
        "must not contain `..`"
    } else if path.split('/').all(|part| part.is_empty() || part == ".") {
        "must name a cgroup below the root"
    } else {
        return None;
    };
    Some(format!("`cgroup_parent` {why}: write a path such as \"/ktstr\" or \"workloads/test\""))
}

#[cfg(test)]
mod tests {
    use super::wrong;

    #[test]
    fn stays_below_the_root() {
        for path in ["/ktstr", "a/b", "a..b", "./a"] {
            assert_eq!(wrong(path), None);
        }
        for path in ["/", "..", "a/../b", ".", "//"] {
            assert!(wrong(path).is_some(), "{path}");
        }
    }
}
