//! Every crate takes the workspace's lints.

use std::path::Path;

use super::finding::Finding;

/// Findings in the `Cargo.toml` at `path` that reads `manifest`.
pub fn check(path: &Path, manifest: &str) -> Option<Finding> {
    let mut lines = manifest.lines().map(str::trim).filter(|line| !line.is_empty());
    let has = lines.any(|line| line == "[lints]") && lines.next() == Some("workspace = true");
    let finding =
        || Finding::new(path, 0, "the workspace's lints are not on", "add `[lints]` with `workspace = true`");
    (!has).then(finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_without_our_lints_is_found() {
        let check = |manifest| check(Path::new("Cargo.toml"), manifest).is_some();
        assert!(!check("[package]\nname = \"x\"\n\n[lints]\nworkspace = true\n"));
        assert!(check("[package]\nname = \"x\"\n"));
        assert!(check("[lints]\n[lints.rust]\n"));
        assert!(check("[lints.rust]\nworkspace = true\n"));
    }
}
