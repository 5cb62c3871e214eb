//! What came of running a replay token again.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::token::ReplayToken;
use crate::identities::short;
use crate::record::Record;

/// How a run compares to the one that its token is of. The worst is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replayed {
    /// The same cause and the same digest; where the first run left no digest, the same cause.
    Reproduced,
    /// The same cause with another digest.
    OtherSchedule,
    /// Another verdict or another cause.
    NotReproduced,
}

impl Replayed {
    /// The exit code that says so.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Reproduced => 0,
            Self::OtherSchedule => 3,
            Self::NotReproduced => 4,
        }
    }
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reproduced => "reproduced",
            Self::OtherSchedule => "same verdict, other schedule",
            Self::NotReproduced => "not reproduced",
        })
    }
}

impl ReplayToken {
    /// Compares a run to the one that this is of.
    pub fn compare(&self, record: &Record) -> Replayed {
        if record.verdict != self.outcome.verdict || record.cause != self.outcome.cause {
            Replayed::NotReproduced
        } else if record.digest != self.outcome.digest {
            Replayed::OtherSchedule
        } else {
            Replayed::Reproduced
        }
    }

    /// What was otherwise in a run than in the one that this is of, one line each: kernel, programs, and what the guest
    /// was told.
    pub fn differences(&self, record: &Record) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(kernel) = record.kernel.as_ref().filter(|kernel| kernel.sha256 != self.kernel.sha256) {
            lines.push(format!(
                "the kernel: {} ({}) then, {} ({}) here",
                self.kernel.release,
                short(&self.kernel.sha256),
                kernel.release,
                short(&kernel.sha256)
            ));
        }
        if let Some(identities) = &record.identities {
            lines.extend(self.identities.differences(identities));
        }
        if let Some(plan) = &record.plan {
            lines.extend(plan_differences(self, plan));
        }
        lines
    }
}

/// What the guest was told otherwise. What the token fixes cannot differ; what comes from the declaration can.
fn plan_differences(token: &ReplayToken, here: &crate::record::Plan) -> Vec<String> {
    let [then, now] = [&token.plan, here].map(|plan| serde_json::to_value(&plan.order).unwrap_or_default());
    let (Some(then), Some(now)) = (then.as_object(), now.as_object()) else { return Vec::new() };
    let keys = then.keys().chain(now.keys().filter(|key| !then.contains_key(*key)));
    let differing = keys.filter(|key| then.get(*key) != now.get(*key));
    let shown = |value: Option<&serde_json::Value>| value.map_or("nothing".to_owned(), ToString::to_string);
    differing
        .map(|key| format!("the run's {key}: {} then, {} here", shown(then.get(key)), shown(now.get(key))))
        .collect()
}
