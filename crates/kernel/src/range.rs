//! Ranges of versions, in which a two-part bound stands for its whole series.

use std::fmt;

use crate::{Error, KernelVersion};

/// One end of a [`VersionRange`], or a prefix on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// `6.18`: every version of the series, its release candidates included.
    Series {
        /// 6 in `6.18`.
        major: u16,
        /// 18 in `6.18`.
        minor: u16,
    },
    /// `6.18.0`, `6.18.15`, `7.1-rc3`: this version.
    Exact(KernelVersion),
}

impl Bound {
    /// A bound and what follows it in `text`.
    pub(crate) fn scan(text: &str) -> Option<(Self, &str)> {
        let found = KernelVersion::scan(text)?;
        let KernelVersion { major, minor, rc, .. } = found.version;
        let bound = match (found.has_patch, rc) {
            (false, None) => Self::Series { major, minor },
            _ => Self::Exact(found.version),
        };
        Some((bound, found.rest))
    }

    fn lowest(self) -> KernelVersion {
        match self {
            Self::Series { major, minor } => KernelVersion { major, minor, patch: 0, rc: Some(0) },
            Self::Exact(version) => version,
        }
    }

    fn highest(self) -> KernelVersion {
        match self {
            Self::Series { major, minor } => KernelVersion::new(major, minor, u16::MAX),
            Self::Exact(version) => version,
        }
    }

    /// Whether `version` is this version or of this series.
    pub fn accepts(self, version: KernelVersion) -> bool {
        self.lowest() <= version && version <= self.highest()
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Series { major, minor } => write!(f, "{major}.{minor}"),
            // Without its `.0` the first release would read as its series.
            Self::Exact(v) if v.patch == 0 && v.rc.is_none() => write!(f, "{v}.0"),
            Self::Exact(v) => write!(f, "{v}"),
        }
    }
}

/// An inclusive range of versions. A side that is absent is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionRange {
    low: Option<Bound>,
    high: Option<Bound>,
}

impl VersionRange {
    /// Reads `A..B` and `A..=B`, which mean the same, with either side left out but not both.
    ///
    /// # Errors
    /// When a side is no version or the range can accept nothing.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let (low, high) = text.split_once("..").unwrap_or((text, ""));
        let high = high.strip_prefix('=').unwrap_or(high);
        let side = |side: &str| match side {
            "" => Ok(None),
            _ => match Bound::scan(side) {
                Some((bound, "")) => Ok(Some(bound)),
                _ => Err(Error::Spec {
                    text: text.to_owned(),
                    why: format!("`{side}` is not a version such as 6.18, 6.18.15 or 7.1-rc3"),
                }),
            },
        };
        let range = Self { low: side(low)?, high: side(high)? };
        match (range.low, range.high) {
            (None, None) => {
                Err(Error::Spec { text: text.to_owned(), why: "a range needs a version on one side".into() })
            }
            (Some(low), Some(high)) if low.lowest() > high.highest() => {
                Err(Error::EmptyRange { text: text.to_owned(), low, high })
            }
            _ => Ok(range),
        }
    }

    /// Whether `version` lies in the range.
    pub fn accepts(&self, version: KernelVersion) -> bool {
        self.low.is_none_or(|low| low.lowest() <= version)
            && self.high.is_none_or(|high| version <= high.highest())
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |bound: Option<Bound>| bound.map(|b| b.to_string()).unwrap_or_default();
        write!(f, "{}..={}", side(self.low), side(self.high))
    }
}
