//! What this crate takes from its surroundings.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The environment variables and places of the host that decide which kernel is used; a value, so that tests can make
/// their own.
#[derive(Clone, Debug)]
pub struct Environment {
    /// `KTSTR_TEST_KERNEL`: the image to use, before all else.
    pub test_kernel: Option<PathBuf>,
    /// `KTSTR_KERNEL`: a kernel spec naming one kernel.
    pub kernel: Option<String>,
    /// `KTSTR_CACHE_DIR`: replaces `$XDG_CACHE_HOME/ktstr`.
    pub cache_dir: Option<PathBuf>,
    /// `XDG_CACHE_HOME`.
    pub xdg_cache_home: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `KTSTR_DEBIAN_MIRROR`: where Debian's packages come from, instead of the mirror that the system's apt uses.
    pub debian_mirror: Option<String>,
    /// `KTSTR_KERNEL_MIRROR`: where releases of Linux come from, instead of kernel.org.
    pub kernel_mirror: Option<String>,
    /// What relative paths are relative to; an absolute path.
    pub current_dir: PathBuf,
    /// The release of the host's kernel (`uname -r`).
    pub host_release: Option<String>,
    /// The root of the host's file system: `/` outside tests.
    pub host_root: PathBuf,
}

impl Environment {
    /// A path as the user meant it, without the `./` it may begin with.
    pub(crate) fn absolute(&self, path: &Path) -> PathBuf {
        // Joining its parts leaves out those that mean "here".
        self.current_dir.join(path).components().collect()
    }

    /// The surroundings of this process. An empty variable counts as unset.
    pub fn of_process() -> Self {
        let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let path = |name: &str| variable(name).map(PathBuf::from);
        // What is not UTF-8 cannot be a spec or an address; the replacement shows in the error.
        let text = |name: &str| variable(name).map(|value| value.to_string_lossy().into_owned());
        Self {
            test_kernel: path("KTSTR_TEST_KERNEL"),
            kernel: text("KTSTR_KERNEL"),
            cache_dir: path("KTSTR_CACHE_DIR"),
            xdg_cache_home: path("XDG_CACHE_HOME"),
            home: path("HOME"),
            debian_mirror: text("KTSTR_DEBIAN_MIRROR"),
            kernel_mirror: text("KTSTR_KERNEL_MIRROR"),
            // Without one (it was deleted), relative paths lead nowhere, which their error says.
            current_dir: env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            host_release: fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|r| r.trim().to_owned()),
            host_root: PathBuf::from("/"),
        }
    }
}
