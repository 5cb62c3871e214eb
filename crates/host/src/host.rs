//! What the requirements look at on this host; a value, so that tests can make their own.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The parts of the environment that decide which program is found.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// `PATH`.
    pub path: OsString,
    /// `KTSTR_QEMU`: the QEMU to use.
    pub qemu: Option<PathBuf>,
    /// `BPF_CLANG`: the clang to compile BPF programs with.
    pub clang: Option<PathBuf>,
}

impl Host {
    /// This process's environment. An empty variable counts as unset.
    pub fn of_process() -> Self {
        let named = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            path: env::var_os("PATH").unwrap_or_default(),
            qemu: named("KTSTR_QEMU"),
            clang: named("BPF_CLANG"),
        }
    }

    /// The first program called `name` in `PATH`.
    pub fn find(&self, name: impl AsRef<Path>) -> Option<PathBuf> {
        env::split_paths(&self.path).map(|folder| folder.join(&name)).find(|program| is_program(program))
    }

    /// The clang for BPF programs when `BPF_CLANG` names none: the newest `clang-NN` in `PATH`, else `clang`.
    pub fn newest_clang(&self) -> String {
        let names = self.names_with_prefix("clang-");
        let versions = names.iter().filter_map(|name| name.strip_prefix("clang-")?.parse::<u32>().ok());
        versions.max().map_or_else(|| "clang".to_owned(), |version| format!("clang-{version}"))
    }

    /// The names of all files in `PATH`'s folders that begin with `prefix`.
    pub fn names_with_prefix(&self, prefix: &str) -> Vec<String> {
        env::split_paths(&self.path)
            .filter_map(|folder| fs::read_dir(folder).ok())
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.starts_with(prefix))
            .collect()
    }
}

/// What `program` prints when it succeeds.
pub fn printed(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}
