//! How a guest's time relates to the host's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a run's clock follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// KVM; the guest's clock is the host's.
    RealTime,
    /// Instruction-counting TCG; the guest's clock is the number of instructions executed, so that one seed gives one
    /// schedule.
    Deterministic,
}

/// The mode that a test or a command asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModeChoice {
    /// Real time where KVM is proved to work, else deterministic with one line that says why.
    #[default]
    Auto,
    /// Real time or an error.
    RealTime,
    /// Deterministic or an error.
    Deterministic,
}

/// A text that names no mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a mode: use auto, real-time or deterministic")]
pub struct UnknownMode(String);

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RealTime => "real-time",
            Self::Deterministic => "deterministic",
        })
    }
}

impl fmt::Display for ModeChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::RealTime => Mode::RealTime.fmt(f),
            Self::Deterministic => Mode::Deterministic.fmt(f),
        }
    }
}

impl FromStr for ModeChoice {
    type Err = UnknownMode;

    /// Reads `auto`, `real-time` or `deterministic`; an underscore serves as a hyphen.
    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        match text.replace('_', "-").as_str() {
            "auto" => Ok(Self::Auto),
            "real-time" => Ok(Self::RealTime),
            "deterministic" => Ok(Self::Deterministic),
            _ => Err(UnknownMode(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_parses_back() {
        for choice in [ModeChoice::Auto, ModeChoice::RealTime, ModeChoice::Deterministic] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        assert_eq!("real_time".parse(), Ok(ModeChoice::RealTime));
        assert!("fast".parse::<ModeChoice>().unwrap_err().to_string().contains("deterministic"));
    }
}
