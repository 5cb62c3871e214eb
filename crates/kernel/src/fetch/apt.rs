//! Debian's package index, read with the system's apt in a private state that needs no root.
//!
//! apt verifies the signature of the index; the index has the sums of the packages.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use super::{
    mirror::mirror,
    program::{Failure, command, run},
};
use crate::{Cache, Environment, Error, lock::lock_file};

const STATE: &str = "apt";
const SOURCES: &str = "sources.list";
/// Its modification time is that of the last whole update.
const UPDATED: &str = "updated";
pub const KEYRINGS: [&str; 2] =
    ["usr/share/keyrings/debian-archive-keyring.gpg", "usr/share/keyrings/debian-archive-keyring.pgp"];
pub const APT_MISSING: &str = "ready-made kernels are Debian packages, fetched with apt; without it, name a Debian \
                               mirror with KTSTR_DEBIAN_MIRROR, or build a kernel with `cargo ktstr kernel build`";
/// Hooks that the host's configuration hangs on `apt-get update`; they tend the host's own state, not ours.
const CONFIGURATION: &str = "#clear APT::Update::Pre-Invoke;\n#clear APT::Update::Post-Invoke;\n\
                             #clear APT::Update::Post-Invoke-Success;\n";

/// apt with its state under the cache.
pub struct Apt {
    root: PathBuf,
    mirror: String,
    keyring: PathBuf,
}

impl Apt {
    /// Finds the mirror and Debian's keyring.
    pub fn prepare(cache: &Cache, env: &Environment) -> Result<Self, Error> {
        let root = cache.root().join(STATE);
        fs::create_dir_all(&root).map_err(Error::cache_io("create", &root))?;
        let configuration = root.join("apt.conf");
        // Not written again: another process's apt may be reading it.
        if !fs::read_to_string(&configuration).is_ok_and(|text| text == CONFIGURATION) {
            fs::write(&configuration, CONFIGURATION).map_err(Error::cache_io("write", &configuration))?;
        }
        let mirror = mirror(env, || system_uris(&root))?;
        let mut keyrings = KEYRINGS.iter().map(|keyring| env.host_root.join(keyring));
        let keyring = keyrings.find(|path| path.is_file()).ok_or(Error::ToolMissing {
            program: "Debian's archive keyring".into(),
            remedy: "install it: apt-get install debian-archive-keyring",
        })?;
        Ok(Self { root, mirror, keyring })
    }

    /// The address of a package.
    pub fn address(&self, path: &str) -> String {
        format!("{}/{path}", self.mirror)
    }

    /// `apt-helper download-file`, to be given address, file and sum of each file.
    pub fn download_command(&self) -> Command {
        let mut command = private("/usr/lib/apt/apt-helper", &self.root);
        command.arg("download-file");
        command
    }

    /// The index of a suite, brought up to date unless it was within `max_age`.
    pub fn index(&self, suite: &str, max_age: Duration) -> Result<String, Error> {
        let dir = self.root.join(suite);
        // apt's own locks are off, since some of its files are not ours to lock.
        let _lock = lock_file(&self.root, &format!("{suite}.lock"), || ())?;
        let sources = format!(
            "deb [arch=amd64 lang=none target=Packages signed-by={}] {} {suite} main\n",
            self.keyring.display(),
            self.mirror
        );
        let known = fs::read_to_string(dir.join(SOURCES)).is_ok_and(|text| text == sources);
        if !known || !is_fresh(&dir, max_age) {
            self.update(suite, &dir, &sources)?;
        }
        read_lists(&dir)
    }

    fn update(&self, suite: &str, dir: &Path, sources: &str) -> Result<(), Error> {
        let (partial, list, updated) = (dir.join("lists/partial"), dir.join(SOURCES), dir.join(UPDATED));
        fs::create_dir_all(&partial).map_err(Error::cache_io("create", &partial))?;
        // Absent while the index is of another mirror or half updated.
        let _ = fs::remove_file(&updated);
        fs::write(&list, sources).map_err(Error::cache_io("write", &list))?;
        let mut apt = private("apt-get", &self.root);
        option(&mut apt, "Dir::State", dir);
        option(&mut apt, "Dir::State::lists", &dir.join("lists"));
        option(&mut apt, "Dir::Cache", dir);
        option(&mut apt, "Dir::Etc::sourcelist", &list);
        option(&mut apt, "Dir::Etc::sourceparts", Path::new("/dev/null"));
        let failure = Failure {
            program: "apt-get",
            doing: &format!("reading Debian's index of {suite} from {}", self.mirror),
            remedy: "check the network, or name another mirror with KTSTR_DEBIAN_MIRROR",
            if_missing: APT_MISSING,
        };
        run(apt.arg("update"), failure)?;
        fs::write(&updated, "").map_err(Error::cache_io("write", &updated))
    }
}

/// The index of a suite as it was read within `max_age`, from whichever mirror: no program is run for it.
pub fn recent_index(cache: &Cache, suite: &str, max_age: Duration) -> Option<String> {
    let dir = cache.root().join(STATE).join(suite);
    if is_fresh(&dir, max_age) { read_lists(&dir).ok() } else { None }
}

fn is_fresh(dir: &Path, max_age: Duration) -> bool {
    let updated = fs::metadata(dir.join(UPDATED)).and_then(|file| file.modified());
    updated.is_ok_and(|time| SystemTime::now().duration_since(time).is_ok_and(|age| age < max_age))
}

/// Every index that the system's own sources name, without a download.
fn system_uris(root: &Path) -> Result<String, Error> {
    let mut apt = private("apt-get", root);
    option(&mut apt, "Dir::State::lists", &root.join("system-lists"));
    let failure = Failure {
        program: "apt-get",
        doing: "reading the system's apt configuration",
        remedy: "name a Debian mirror with KTSTR_DEBIAN_MIRROR",
        if_missing: APT_MISSING,
    };
    let output = run(apt.args(["update", "--print-uris"]), failure)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// An apt program that keeps away from the system's state.
fn private(program: &str, root: &Path) -> Command {
    let mut command = command(program);
    command.arg("-q").arg("-c").arg(root.join("apt.conf"));
    for setting in [
        "Debug::NoLocking=1",
        // As root, apt would download as `_apt`, which cannot enter our folders.
        "APT::Sandbox::User=root",
        "APT::Architectures=amd64",
        "APT::Update::Error-Mode=any",
        "Acquire::GzipIndexes=false",
        "Acquire::Retries=2",
        "Acquire::http::Timeout=30",
        "Acquire::https::Timeout=30",
        "Dir::State::status=/dev/null",
        "Dir::Cache::pkgcache=",
        "Dir::Cache::srcpkgcache=",
    ] {
        command.arg("-o").arg(setting);
    }
    command
}

fn option(command: &mut Command, name: &str, path: &Path) {
    let mut setting = OsString::from(format!("{name}="));
    setting.push(path);
    command.arg("-o").arg(setting);
}

fn read_lists(dir: &Path) -> Result<String, Error> {
    let lists = dir.join("lists");
    let mut text = String::new();
    for file in fs::read_dir(&lists).map_err(Error::cache_io("read", &lists))?.flatten() {
        if file.file_name().to_string_lossy().ends_with("_Packages") {
            text += &fs::read_to_string(file.path()).map_err(Error::cache_io("read", &file.path()))?;
            text.push('\n');
        }
    }
    Ok(text)
}
