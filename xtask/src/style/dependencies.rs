//! Crates depend downwards only.

use std::path::Path;

use super::finding::Finding;
use crate::workspace::{Dependency, Package};

/// The crates from top to bottom; one may depend on those below it. Programs that nothing depends on come first.
const LAYERS: [&str; 19] = [
    "xtask",
    "my-sched",
    "scx-fixture",
    "guest-tests",
    "ktstr",
    "ktstr-macros",
    "cargo-ktstr",
    "ktstr-explore",
    "ktstr-harness",
    "ktstr-verifier",
    "ktstr-results",
    "ktstr-inspect",
    "ktstr-vm",
    "ktstr-guest",
    "ktstr-kernel",
    "ktstr-checks",
    "ktstr-wire",
    "ktstr-model",
    "ktstr-host",
];

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == name)
}

/// Findings in one package, whose `Cargo.toml` at `path` reads `manifest`.
pub fn check(package: &Package, path: &Path, manifest: &str) -> Vec<Finding> {
    let Some(own) = layer(&package.name) else {
        let what = format!("the crate {} has no place in the order of layers", package.name);
        return vec![Finding::new(path, 0, what, "give it one in xtask/src/style/dependencies.rs")];
    };
    let upward = |dependency: &&Dependency| {
        // Tests may look at a crate from above.
        let in_product = dependency.kind.as_deref() != Some("dev");
        in_product && dependency.path.is_some() && layer(&dependency.name).is_some_and(|other| other <= own)
    };
    package
        .dependencies
        .iter()
        .filter(upward)
        .map(|dependency| {
            let line = manifest.lines().position(|line| line.starts_with(&dependency.name)).unwrap_or(0);
            let what = format!("{} depends on {}, which is above it", package.name, dependency.name);
            Finding::new(path, line, what, "move what is needed to a crate below both")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(name: &str, dependencies: &[(&str, Option<&str>, bool)]) -> Vec<String> {
        let dependency = |(name, kind, ours): &(&str, Option<&str>, bool)| Dependency {
            name: (*name).to_owned(),
            kind: kind.map(str::to_owned),
            path: ours.then(|| "somewhere".into()),
        };
        let package = Package {
            name: name.to_owned(),
            manifest_path: "Cargo.toml".into(),
            dependencies: dependencies.iter().map(dependency).collect(),
        };
        let manifest =
            "[package]\n\n[dependencies]\nserde.workspace = true\nktstr-vm = { workspace = true }\n";
        check(&package, Path::new("Cargo.toml"), manifest).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn down_is_allowed() {
        assert!(findings("ktstr-vm", &[("ktstr-model", None, true), ("serde", None, false)]).is_empty());
    }

    #[test]
    fn up_is_found_where_it_is_written() {
        let expected = "Cargo.toml:5: ktstr-guest depends on ktstr-vm, which is above it: \
                        move what is needed to a crate below both";
        assert_eq!(findings("ktstr-guest", &[("ktstr-vm", None, true)]), [expected]);
        assert_eq!(findings("ktstr-guest", &[("ktstr-vm", Some("build"), true)]), [expected]);
    }

    #[test]
    fn tests_may_look_from_above() {
        assert!(findings("ktstr-guest", &[("ktstr-vm", Some("dev"), true)]).is_empty());
    }

    #[test]
    fn a_new_crate_needs_a_place() {
        let found = findings("ktstr-new", &[]);
        assert!(found[0].starts_with("Cargo.toml:1: the crate ktstr-new has no place"), "{found:?}");
    }
}
