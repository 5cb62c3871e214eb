//! What a user writes to name a kernel.

use std::{fmt, path::PathBuf, str::FromStr};

use crate::{Bound, Error, KernelVersion, VersionRange};

/// A kernel, or a set of kernels, as named by `--kernel`, `KTSTR_KERNEL`, `kernels = [..]` and the subcommands.
///
/// Parsing looks at the text only, never at the file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KernelSpec {
    /// An image file, or a source or build tree: anything with a `/`, or `.`.
    Path(PathBuf),
    /// One version (`6.18.15`, `6.18.0`, `7.1-rc3`) or a whole series (`6.18`).
    Version(Bound),
    /// `6.16..7.0`, `6.16..=7.0`, `..7.0`, `6.16..`.
    Range(VersionRange),
    /// The name of a cache entry, which begins with its version: `7.3.4+deb13-cloud-amd64`.
    Key(String),
    /// `git+URL#REF`.
    Git {
        /// What `git clone` is given.
        url: String,
        /// A branch, a tag or a commit.
        reference: String,
    },
}

impl KernelSpec {
    /// Whether a kernel of this version is meant. A path, a key or a git reference names a single kernel rather than
    /// versions, so it accepts none; see [`selects`](Self::selects).
    pub fn accepts(&self, version: KernelVersion) -> bool {
        match self {
            Self::Version(bound) => bound.accepts(version),
            Self::Range(range) => range.accepts(version),
            Self::Path(_) | Self::Key(_) | Self::Git { .. } => false,
        }
    }

    /// Whether the cache entry `key` of this version is meant.
    pub fn selects(&self, key: &str, version: KernelVersion) -> bool {
        match self {
            Self::Key(wanted) => wanted == key,
            _ => self.accepts(version),
        }
    }
}

/// Whether `text` can follow the version in a cache key; it then is a plain file name as well.
fn is_key_suffix(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(['+', '-', '~'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._~".contains(&b))
}

fn parse_git(text: &str, address: &str) -> Result<KernelSpec, Error> {
    match address.rsplit_once('#') {
        Some((url, reference)) if !url.is_empty() && !reference.is_empty() => {
            Ok(KernelSpec::Git { url: url.to_owned(), reference: reference.to_owned() })
        }
        _ => Err(Error::Spec {
            text: text.to_owned(),
            why: "a git kernel is written git+URL#REF, with a branch, tag or commit for REF".into(),
        }),
    }
}

impl FromStr for KernelSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let refuse = |why: &str| Error::Spec { text: text.to_owned(), why: why.to_owned() };
        if text.is_empty() {
            return Err(refuse("it is empty"));
        }
        if let Some(address) = text.strip_prefix("git+") {
            return parse_git(text, address);
        }
        if text.contains('/') || text == "." {
            return Ok(Self::Path(text.into()));
        }
        if text.contains("..") {
            return VersionRange::parse(text).map(Self::Range);
        }
        let Some((bound, rest)) = Bound::scan(text) else {
            return Err(refuse("it does not begin with a version, and a path needs a `/` (`./NAME`)"));
        };
        match rest {
            "" => Ok(Self::Version(bound)),
            rc if rc.starts_with("-rc") => Err(refuse("-rc needs a number, as in 7.1-rc3")),
            end if end.starts_with('-')
                && Bound::scan(&end[1..]).is_some_and(|(_, rest)| rest.is_empty()) =>
            {
                Err(refuse("a range is written A..B"))
            }
            suffix if is_key_suffix(suffix) => Ok(Self::Key(text.to_owned())),
            suffix => Err(Error::Spec {
                text: text.to_owned(),
                why: format!("`{suffix}` after the version is neither -rcN nor the rest of a cache key"),
            }),
        }
    }
}

impl fmt::Display for KernelSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Version(bound) => write!(f, "{bound}"),
            Self::Range(range) => write!(f, "{range}"),
            Self::Key(key) => f.write_str(key),
            Self::Git { url, reference } => write!(f, "git+{url}#{reference}"),
        }
    }
}

#[cfg(test)]
mod tests;
