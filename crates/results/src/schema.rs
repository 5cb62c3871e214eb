//! Versions of the record's format, and who can read what.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A version of the record's format, written as `MAJOR.MINOR`.
///
/// A change that leaves every field its name, unit and meaning raises the minor: a new field, which has a default for
/// records without it, or a new word of a set of words, such as a new cause. Any other change raises the major.
///
/// | the record's version, seen from a reader | what the reader does |
/// |---|---|
/// | the same major and minor | reads it |
/// | the same major, an older minor | reads it; fields that did not exist have their defaults |
/// | the same major, a newer minor | reads it and passes over fields that it does not know; when a word of it is unknown, says that a newer ktstr wrote it |
/// | another major | does not read it, and says whether an older or a newer ktstr wrote it |
///
/// A record that is not read is counted and named, and the others are read all the same. Writers write [`Schema::CURRENT`]
/// alone and never change a record that exists. Of each version a record is kept in `tests/records`, which stays readable.
///
/// | version | what is new |
/// |---|---|
/// | 1, a number | the format before folders of runs; never released |
/// | 2.0 | folders of runs; a record and, beside it, the report |
/// | 2.1 | `program`, `cell`, `location`, `invocation`, `identities`, `replay_token`, `divergence`, `noise`, `payloads`, `metrics`; what workers were allowed to use; payloads, work type, perturbation, disk and a deadline in the plan; where a scheduler died and what it loaded; causes and kinds of violations |
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Schema {
    /// Changes with the meaning of fields.
    pub major: u32,
    /// Changes with what is added.
    pub minor: u32,
}

impl Schema {
    /// What this version of ktstr writes.
    pub const CURRENT: Self = Self { major: 2, minor: 1 };

    /// Whether records of this version can be read.
    pub const fn is_readable(self) -> bool {
        self.major == Self::CURRENT.major
    }

    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u32),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(major) => Ok(Self { major, minor: 0 }),
            Written::Text(text) => Self::parse(&text)
                .ok_or_else(|| D::Error::custom(format!("`{text}` is not a version such as `2.0`"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_text_and_read_as_the_first_format_wrote_it_too() {
        let read = |text: &str| serde_json::from_str::<Schema>(text).map_err(|error| error.to_string());
        assert_eq!(serde_json::to_string(&Schema { major: 2, minor: 10 }).unwrap(), "\"2.10\"");
        assert_eq!(read("\"2.10\""), Ok(Schema { major: 2, minor: 10 }));
        assert_eq!(read("1"), Ok(Schema { major: 1, minor: 0 }));
        for wrong in ["\"2\"", "\"2.x\"", "\"\"", "null", "-1", "2.5"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
