//! The table of what a host must have, and how to see whether it does.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::host::{Host, printed};
use crate::version::Version;

const OLDEST_QEMU: Version = Version::DETERMINISTIC;
/// Older clangs lack BPF features that sched_ext programs rely on.
const OLDEST_CLANG: Version = Version(18, 0, 0);

/// Something a host must have.
#[derive(Debug)]
pub struct Requirement {
    /// In one word.
    pub name: &'static str,
    /// What, in words that a user of any system understands.
    pub what: &'static str,
    /// What brings it on a system with apt.
    pub packages: Packages,
    look: fn(&Host) -> Found,
}

/// Packages to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packages {
    /// All of these.
    All(&'static [&'static str]),
    /// The first of these that the archive has.
    AnyOf(&'static [&'static str]),
    /// This one, at this version or newer, from backports if need be.
    AtLeast(&'static str, u32, u32),
}

impl fmt::Display for Packages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(names) => f.write_str(&names.join(" ")),
            Self::AnyOf(names) => f.write_str(&names.join(" or ")),
            Self::AtLeast(name, major, minor) => {
                write!(f, "{name} {major}.{minor} or newer, from backports if need be")
            }
        }
    }
}

/// What a look at the host found.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    Good,
    /// Not there, or too old: in words.
    Wrong(String),
    /// Wrong, and chosen by this environment variable, so that installing something would not help.
    WronglyChosen(&'static str, String),
}

/// A requirement that this host does not meet.
#[derive(Debug)]
pub struct Missing {
    /// Which.
    pub requirement: &'static Requirement,
    /// What was found instead.
    pub found: String,
    /// The environment variable that chose what was found.
    pub chosen_by: Option<&'static str>,
}

/// All that building and running tests takes, QEMU first.
pub static REQUIREMENTS: [Requirement; 4] = [
    Requirement {
        name: "QEMU",
        what: "QEMU 8.2 or newer (qemu-system-x86_64)",
        packages: Packages::AtLeast("qemu-system-x86", OLDEST_QEMU.0, OLDEST_QEMU.1),
        look: qemu,
    },
    Requirement {
        name: "clang",
        what: "clang 18 or newer, for BPF programs",
        packages: Packages::AnyOf(&["clang-19", "clang-20", "clang-21", "clang-18"]),
        look: clang,
    },
    Requirement {
        name: "libbpf",
        what: "make, pkg-config and the development files of libelf and zlib, for libbpf",
        packages: Packages::All(&["make", "libelf-dev", "zlib1g-dev", "pkg-config"]),
        look: libbpf_needs,
    },
    Requirement {
        name: "C",
        what: "a C compiler and a static C library, for the guest's agent",
        packages: Packages::All(&["gcc", "libc6-dev"]),
        look: static_c_library,
    },
];

/// What this project's own tests need beside that.
pub static OF_OWN_TESTS: [Requirement; 1] = [Requirement {
    name: "payloads",
    what: "the programs that this project's tests run as workloads: hackbench, cyclictest, stress-ng",
    packages: Packages::All(&["rt-tests", "stress-ng"]),
    look: payloads,
}];

/// The ones of `requirements` that `host` does not meet.
pub fn missing(requirements: &'static [Requirement], host: &Host) -> Vec<Missing> {
    requirements.iter().filter_map(|requirement| requirement.lack(host)).collect()
}

impl Requirement {
    /// What is wrong with it on `host`; none when it is met.
    pub fn lack(&'static self, host: &Host) -> Option<Missing> {
        let (found, chosen_by) = match (self.look)(host) {
            Found::Good => return None,
            Found::Wrong(found) => (found, None),
            Found::WronglyChosen(variable, found) => (format!("{variable} names {found}"), Some(variable)),
        };
        Some(Missing { requirement: self, found, chosen_by })
    }
}

fn qemu(host: &Host) -> Found {
    let chosen = host.qemu.clone().map(|path| ("KTSTR_QEMU", path));
    versioned(chosen, host.find("qemu-system-x86_64"), OLDEST_QEMU)
}

fn clang(host: &Host) -> Found {
    // `BPF_CLANG` may be a name as well as a path.
    let chosen = host.clang.clone().map(|name| ("BPF_CLANG", host.find(&name).unwrap_or(name)));
    // Debian's plain `clang` may be newer than the newest `clang-NN`: a distribution's default.
    match versioned(chosen.clone(), host.find(host.newest_clang()), OLDEST_CLANG) {
        Found::Wrong(_) => versioned(chosen, host.find("clang"), OLDEST_CLANG),
        found => found,
    }
}

/// Judges a program by the version it prints.
fn versioned(chosen: Option<(&'static str, PathBuf)>, found: Option<PathBuf>, oldest: Version) -> Found {
    let (variable, program) = match (chosen, found) {
        (Some((variable, program)), _) => (Some(variable), program),
        (None, Some(program)) => (None, program),
        (None, None) => return Found::Wrong("not found in PATH".to_owned()),
    };
    let wrong = match version_of(&program) {
        Some(version) if version >= oldest => return Found::Good,
        Some(version) => format!("{}, which is version {version}", program.display()),
        None => format!("{}, which does not tell its version", program.display()),
    };
    match variable {
        Some(variable) => Found::WronglyChosen(variable, wrong),
        None => Found::Wrong(format!("there is {wrong}")),
    }
}

fn libbpf_needs(host: &Host) -> Found {
    if host.find("make").is_none() {
        return Found::Wrong("no make in PATH".to_owned());
    }
    let Some(pkg_config) = host.find("pkg-config") else {
        return Found::Wrong("no pkg-config in PATH".to_owned());
    };
    for library in ["libelf", "zlib"] {
        if printed(&pkg_config, &["--exists", library]).is_none() {
            return Found::Wrong(format!("pkg-config does not know {library}"));
        }
    }
    Found::Good
}

fn static_c_library(host: &Host) -> Found {
    let Some(compiler) = host.find("cc") else {
        return Found::Wrong("no cc in PATH".to_owned());
    };
    // A compiler that finds the file prints its path, else the bare name back.
    match printed(&compiler, &["-print-file-name=libc.a"]) {
        Some(path) if Path::new(path.trim()).is_absolute() => Found::Good,
        _ => Found::Wrong(format!("{} finds no libc.a", compiler.display())),
    }
}

fn payloads(host: &Host) -> Found {
    let absent: Vec<&str> = ["hackbench", "cyclictest", "stress-ng"]
        .into_iter()
        .filter(|name| host.find(name).is_none())
        .collect();
    if absent.is_empty() { Found::Good } else { Found::Wrong(format!("no {} in PATH", absent.join(", "))) }
}

fn version_of(program: &Path) -> Option<Version> {
    Version::parse(&printed(program, &["--version"])?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A host whose `PATH` has only these programs, each a shell script.
    fn host_with(programs: &[(&str, &str)]) -> (tempfile::TempDir, Host) {
        let folder = tempfile::tempdir().unwrap();
        for (name, script) in programs {
            let path = folder.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let host = Host { path: folder.path().into(), ..Host::default() };
        (folder, host)
    }

    #[test]
    fn a_bare_host_lacks_everything() {
        let (_folder, host) = host_with(&[]);
        let found: Vec<String> = missing(&REQUIREMENTS, &host).into_iter().map(|one| one.found).collect();
        assert_eq!(found, ["not found in PATH", "not found in PATH", "no make in PATH", "no cc in PATH"]);
    }

    #[test]
    fn the_projects_tests_need_programs_of_their_own() {
        let (_folder, host) = host_with(&[("hackbench", ""), ("stress-ng", "")]);
        assert_eq!(missing(&OF_OWN_TESTS, &host)[0].found, "no cyclictest in PATH");
        let (_folder, host) = host_with(&[("hackbench", ""), ("stress-ng", ""), ("cyclictest", "")]);
        assert!(missing(&OF_OWN_TESTS, &host).is_empty());
    }

    #[test]
    fn a_complete_host_lacks_nothing() {
        let (_folder, host) = host_with(&[
            ("qemu-system-x86_64", "echo 'QEMU emulator version 10.0.2 (Debian 1:10.0.2)'"),
            ("clang", "echo 'Debian clang version 14.0.6'"),
            ("clang-19", "echo 'Debian clang version 19.1.7 (3~deb12u1)'"),
            ("make", ""),
            ("pkg-config", "exit 0"),
            ("cc", "echo /usr/lib/libc.a"),
        ]);
        assert!(missing(&REQUIREMENTS, &host).is_empty());
    }

    #[test]
    fn old_versions_and_half_installed_libraries_are_missing() {
        let (_folder, host) = host_with(&[
            ("qemu-system-x86_64", "echo 'QEMU emulator version 7.2.19 (Debian)'"),
            ("clang", "echo 'Debian clang version 14.0.6'"),
            ("make", ""),
            ("pkg-config", "test $2 = zlib"),
            ("cc", "echo libc.a"),
        ]);
        let found: Vec<String> = missing(&REQUIREMENTS, &host).into_iter().map(|one| one.found).collect();
        assert!(found[0].ends_with("qemu-system-x86_64, which is version 7.2.19"), "{}", found[0]);
        assert!(found[1].ends_with("clang, which is version 14.0.6"), "{}", found[1]);
        assert_eq!(found[2], "pkg-config does not know libelf");
        assert!(found[3].ends_with("finds no libc.a"), "{}", found[3]);
    }

    #[test]
    fn a_program_chosen_by_hand_is_the_one_that_counts() {
        let (folder, mut host) = host_with(&[
            ("qemu-system-x86_64", "echo 'QEMU emulator version 10.0.2'"),
            ("old-qemu", "echo 'QEMU emulator version 7.2.0'"),
            ("not-qemu", "exit 1"),
        ]);
        let wrong = |host: &Host| {
            let found = qemu(host);
            assert!(matches!(found, Found::WronglyChosen("KTSTR_QEMU", _)), "{found:?}");
        };
        host.qemu = Some(folder.path().join("old-qemu"));
        wrong(&host);
        host.qemu = Some(folder.path().join("not-qemu"));
        wrong(&host);
        host.qemu = Some(folder.path().join("absent"));
        wrong(&host);
        host.qemu = None;
        assert_eq!(qemu(&host), Found::Good);
    }
}
