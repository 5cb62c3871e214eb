//! Which test binary a run was declared in, in the words that build it again.

use std::env;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// A test binary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TestProgram {
    /// The package that it belongs to; empty when nobody said so.
    pub package: String,
    /// The name of its target.
    pub binary: String,
    /// The folder of the build profile: `debug` for cargo's `dev`, else the profile's own name.
    pub profile: String,
    /// The arguments of cargo that chose packages and features when it was built: others give another binary. Empty when
    /// nobody said so, and when cargo's own choice was left to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub build: Vec<String>,
}

impl TestProgram {
    /// The variable with [`build`](Self::build), an argument a line.
    pub const BUILD_VARIABLE: &str = "KTSTR_BUILD";

    /// This process's. Cargo and nextest both tell a test binary which package it is of.
    pub fn of_this_process() -> Self {
        let package = env::var("CARGO_PKG_NAME").unwrap_or_default();
        let build = env::var(Self::BUILD_VARIABLE).unwrap_or_default();
        let build = build.lines().map(str::to_owned).collect();
        Self { package, build, ..Self::of_path(&env::current_exe().unwrap_or_default()) }
    }

    /// Reads a path such as `target/debug/deps/vm_basic-0123456789abcdef`.
    fn of_path(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let binary = match name.rsplit_once('-') {
            Some((target, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => target,
            _ => &name,
        };
        let deps = path.parent().filter(|folder| folder.ends_with("deps"));
        let profile = deps.and_then(Path::parent).and_then(Path::file_name).unwrap_or_default();
        Self {
            package: String::new(),
            binary: binary.to_owned(),
            profile: profile.to_string_lossy().into_owned(),
            build: Vec::new(),
        }
    }

    /// The profile as cargo's `--profile` names it.
    pub fn cargo_profile(&self) -> &str {
        match self.profile.as_str() {
            "" | "debug" => "dev",
            named => named,
        }
    }

    /// Whether a target of this name is meant: cargo writes `-` as `_` in the files of libraries.
    pub fn is_target(&self, name: &str) -> bool {
        self.binary.replace('-', "_") == name.replace('-', "_")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_target_and_profile() {
        let of = |path: &str| {
            let program = TestProgram::of_path(Path::new(path));
            (program.binary.clone(), program.profile.clone(), program.cargo_profile().to_owned())
        };
        let owned = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(of("/w/target/debug/deps/vm_a-0123456789abcdef"), owned("vm_a", "debug", "dev"));
        assert_eq!(of("/w/target/fast/deps/a_b-0123456789abcdef"), owned("a_b", "fast", "fast"));
        assert_eq!(of("/usr/bin/my-tests"), owned("my-tests", "", "dev"));
        assert!(TestProgram::of_path(Path::new("a_b")).is_target("a-b"));
    }
}
