//! Versions of programs, and what those of QEMU are good for.

use std::fmt;

/// A version; parts that a program does not tell are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(major, minor, patch) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

impl Version {
    /// Since QEMU 8.2 a vCPU's turn is a share of the time to the next deadline rather than all of it.
    pub const DETERMINISTIC: Self = Self(8, 2, 0);
    /// The oldest QEMU that clones were proved on.
    pub const REAL_TIME: Self = Self(7, 2, 0);
    /// Since QEMU 8.2 a saved state can be read from a file by name.
    pub const FILE_MIGRATION: Self = Self(8, 2, 0);
    /// The first QEMU whose q35 machine has more than 288 CPUs.
    pub const MORE_CPUS: Self = Self(8, 1, 0);

    /// Reads what a program prints for `--version`: the numbers after the word in the first line.
    pub fn parse(printed: &str) -> Option<Self> {
        let (_, text) = printed.lines().next()?.split_once("version ")?;
        let text = text.split([' ', '(', '-']).next()?;
        let leading_digits = |part: &str| part.split(|c: char| !c.is_ascii_digit()).next().map(str::to_owned);
        let mut numbers = text.split('.').map(|part| leading_digits(part)?.parse().ok());
        Some(Self(
            numbers.next()??,
            numbers.next().unwrap_or(Some(0))?,
            numbers.next().flatten().unwrap_or(0),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_programs_print() {
        for (printed, version) in [
            ("QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)\nCopyright", Version(10, 0, 2)),
            ("QEMU emulator version 7.2", Version(7, 2, 0)),
            ("QEMU emulator version 9.1.50-dirty", Version(9, 1, 50)),
            ("Ubuntu clang version 18.1.3 (1ubuntu1)", Version(18, 1, 3)),
            ("Debian clang version 19.1.7 (3~deb12u1)", Version(19, 1, 7)),
            ("clang version 20.0.0git", Version(20, 0, 0)),
            ("clang version 20", Version(20, 0, 0)),
        ] {
            assert_eq!(Version::parse(printed), Some(version), "{printed}");
        }
        for printed in ["", "GNU bash, version x", "version unknown", "10.0.2", "nothing\nversion 1.2"] {
            assert_eq!(Version::parse(printed), None, "{printed}");
        }
        assert!(Version(10, 0, 0) > Version::DETERMINISTIC && Version(7, 2, 17) < Version::DETERMINISTIC);
    }
}
