//! Kernel versions and their order.

use std::{cmp::Ordering, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::Error;

/// A kernel's version: `7.1-rc3`, `6.18`, `6.18.15`.
///
/// Ordered as kernels are released: `6.18-rc3 < 6.18 < 6.18.1 < 6.18.10`. The first release of a series has patch
/// level 0 and is written without it, as its tag is, although `uname -r` says `6.18.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KernelVersion {
    /// 6 in `6.18.15`.
    pub major: u16,
    /// 18 in `6.18.15`.
    pub minor: u16,
    /// 15 in `6.18.15`.
    pub patch: u16,
    /// 3 in `7.1-rc3`.
    pub rc: Option<u16>,
}

/// What [`KernelVersion::scan`] found at the start of a text.
pub(crate) struct Scanned<'a> {
    pub version: KernelVersion,
    /// Whether the patch level was written.
    pub has_patch: bool,
    /// What follows the version.
    pub rest: &'a str,
}

fn number(text: &str) -> Option<(u16, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

impl KernelVersion {
    /// A released version.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch, rc: None }
    }

    /// Reads a version at the start of `text`; a leading `v`, as in the kernel's tags, is passed over.
    pub(crate) fn scan(text: &str) -> Option<Scanned<'_>> {
        let (major, rest) = number(text.strip_prefix('v').unwrap_or(text))?;
        let (minor, rest) = number(rest.strip_prefix('.')?)?;
        let (patch, rest) = match rest.strip_prefix('.').and_then(number) {
            Some((patch, rest)) => (Some(patch), rest),
            None => (None, rest),
        };
        // Debian writes `~rc3`, so that its packages sort as versions do.
        let (rc, rest) = match rest.strip_prefix("-rc").or(rest.strip_prefix("~rc")).and_then(number) {
            Some((rc, rest)) => (Some(rc), rest),
            None => (None, rest),
        };
        let version = Self { major, minor, patch: patch.unwrap_or(0), rc };
        Some(Scanned { version, has_patch: patch.is_some(), rest })
    }

    /// The version in a release string as `uname -r` prints it, such as `7.3.4+deb13-cloud-amd64`.
    ///
    /// # Errors
    /// When the string does not begin with a version, or a letter or digit follows the version directly.
    pub fn from_release(release: &str) -> Result<Self, Error> {
        match Self::scan(release) {
            Some(found) if !found.rest.starts_with(|c: char| c.is_ascii_alphanumeric()) => Ok(found.version),
            _ => Err(Error::Version { text: release.to_owned() }),
        }
    }

    fn order(&self) -> (u16, u16, u16, u32) {
        (self.major, self.minor, self.patch, self.rc.map_or(u32::MAX, u32::from))
    }
}

impl Ord for KernelVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for KernelVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for KernelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch != 0 {
            write!(f, ".{}", self.patch)?;
        }
        match self.rc {
            Some(rc) => write!(f, "-rc{rc}"),
            None => Ok(()),
        }
    }
}

impl FromStr for KernelVersion {
    type Err = Error;

    /// Reads a version and nothing after it.
    fn from_str(text: &str) -> Result<Self, Error> {
        match Self::scan(text) {
            Some(found) if found.rest.is_empty() => Ok(found.version),
            _ => Err(Error::Version { text: text.to_owned() }),
        }
    }
}

impl TryFrom<String> for KernelVersion {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<KernelVersion> for String {
    fn from(version: KernelVersion) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn any_version() -> impl Strategy<Value = KernelVersion> {
        (any::<u16>(), any::<u16>(), any::<u16>(), any::<Option<u16>>())
            .prop_map(|(major, minor, patch, rc)| KernelVersion { major, minor, patch, rc })
    }

    fn v(text: &str) -> KernelVersion {
        text.parse().expect(text)
    }

    #[test]
    fn orders_as_kernels_are_released() {
        let order = ["6.2", "6.18-rc3", "6.18-rc10", "6.18", "6.18.1-rc1", "6.18.1", "6.18.10", "7.0-rc1"];
        for pair in order.windows(2) {
            assert!(v(pair[0]) < v(pair[1]), "{} < {}", pair[0], pair[1]);
        }
        assert_eq!(v("6.18"), v("6.18.0"));
        assert_eq!(v("v7.1.0-rc3"), v("7.1-rc3"));
    }

    #[test]
    fn reads_release_strings() {
        for (release, version) in [
            ("7.3.4+deb13-cloud-amd64", "7.3.4"),
            ("6.1.0-18-amd64", "6.1"),
            ("7.1.0-rc3-next-20260101", "7.1-rc3"),
            ("7.0~rc4+deb14-cloud-amd64", "7.0-rc4"),
            ("5.15.167.4-microsoft-standard-WSL2", "5.15.167"),
            ("6.18.0+", "6.18"),
        ] {
            assert_eq!(KernelVersion::from_release(release).expect(release), v(version));
        }
    }

    #[test]
    fn refuses_what_is_no_version() {
        for text in ["", "6", "6.", ".18", "six", "6.18x", "6.18.", "-6.18", "6.99999", "+6.18"] {
            assert!(text.parse::<KernelVersion>().is_err(), "{text}");
        }
        assert!(KernelVersion::from_release("6.18x").is_err());
    }

    proptest! {
        #[test]
        fn prints_what_it_reads(version in any_version()) {
            prop_assert_eq!(v(&version.to_string()), version);
        }

        #[test]
        fn a_suffix_changes_nothing(version in any_version(), suffix in "[+-][a-qs-z][a-z0-9.+-]{0,20}") {
            prop_assert_eq!(KernelVersion::from_release(&format!("{version}{suffix}")).unwrap(), version);
        }

        #[test]
        fn a_candidate_comes_before_its_release(mut version in any_version(), rc in any::<u16>()) {
            version.rc = None;
            let candidate = KernelVersion { rc: Some(rc), ..version };
            prop_assert!(candidate < version);
        }

        #[test]
        fn never_panics(text in ".{0,30}") {
            let _ = text.parse::<KernelVersion>();
            let _ = KernelVersion::from_release(&text);
        }
    }
}
