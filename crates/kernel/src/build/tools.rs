//! The programs that a kernel build needs, looked for before anything is downloaded.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use serde::{Deserialize, Serialize};

use crate::{Error, program::find_program};

/// A program and the Debian package that it is in.
const PROGRAMS: [(&str, &str); 13] = [
    ("make", "make"),
    ("gcc", "gcc"),
    ("ld", "binutils"),
    ("objcopy", "binutils"),
    ("flex", "flex"),
    ("bison", "bison"),
    ("bc", "bc"),
    ("perl", "perl"),
    ("python3", "python3"),
    ("pahole", "dwarves"),
    ("tar", "tar"),
    ("xz", "xz-utils"),
    ("lz4", "lz4"),
];
/// The header of the library that the kernel's own build tools link against.
const LIBELF: (&str, &str) = ("libelf (gelf.h)", "libelf-dev");

/// What a kernel was built with, in the programs' own words. A kernel depends on all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toolchain {
    /// The first line of `gcc --version`.
    pub compiler: String,
    /// The first line of `ld --version`.
    pub linker: String,
    /// `pahole --version`.
    pub pahole: String,
}

impl Toolchain {
    /// Finds every program.
    ///
    /// # Errors
    /// When some are missing: all are named, with the command that installs them.
    pub fn find() -> Result<Self, Error> {
        let mut missing: Vec<_> =
            PROGRAMS.into_iter().filter(|(program, _)| find_program(program).is_none()).collect();
        // Without a compiler nobody can tell.
        if find_program("gcc").is_some() && !has_header("gelf.h") {
            missing.push(LIBELF);
        }
        if missing.is_empty() {
            let first_line = |program| first_line(program).unwrap_or_default();
            return Ok(Self {
                compiler: first_line("gcc"),
                linker: first_line("ld"),
                pahole: first_line("pahole"),
            });
        }
        let mut packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
        packages.dedup();
        Err(Error::BuildToolsMissing {
            programs: missing.iter().map(|(program, _)| *program).collect::<Vec<_>>().join(", "),
            packages: packages.join(" "),
        })
    }
}

fn has_header(header: &str) -> bool {
    let compiler = Command::new("gcc")
        .args(["-x", "c", "-fsyntax-only", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    compiler.is_ok_and(|mut compiler| {
        // A compiler that is gone already shows in its status.
        let _ = compiler.stdin.take().map(|mut stdin| writeln!(stdin, "#include <{header}>"));
        compiler.wait().is_ok_and(|status| status.success())
    })
}

fn first_line(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").env("LC_ALL", "C").output().ok()?;
    String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
}
