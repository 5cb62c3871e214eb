//! What came of running a replay token again.

use std::fmt;

use ktstr_model::Cause;
use serde::{Deserialize, Serialize};

use super::plan_differences::plan_differences;
use super::token::ReplayToken;
use crate::identities::short;
use crate::record::Record;

/// How a run compares to the one that its token is of. The worst is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replayed {
    /// The same cause and the same digest; where the first run left no digest, the same cause in the same words.
    Reproduced,
    /// The same cause with another digest.
    OtherSchedule,
    /// Another verdict or another cause, or, where there is no digest, another event of that kind.
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

/// What a headline says of an event, as far as equal runs have it in common: its first line, without the time after which
/// the host took a guest for hung (`...; it hung in the test function`).
pub fn what_happened(cause: Cause, headline: &str) -> &str {
    let line = headline.lines().next().unwrap_or_default();
    match line.split_once("; it hung ") {
        Some((_, place)) if cause == Cause::Hang => place,
        _ => line,
    }
}

impl ReplayToken {
    /// Compares a run to the one that this is of.
    pub fn compare(&self, record: &Record) -> Replayed {
        let then = &self.outcome;
        let is_same_event =
            || what_happened(then.cause, &then.headline) == what_happened(record.cause, &record.headline);
        if record.verdict != then.verdict || record.cause != then.cause {
            Replayed::NotReproduced
        } else if record.digest != then.digest {
            Replayed::OtherSchedule
        } else if then.digest.is_none() && !is_same_event() {
            Replayed::NotReproduced
        } else {
            Replayed::Reproduced
        }
    }

    /// What was otherwise in a run than in the one that this is of, one line each: kernel, QEMU, programs, what the guest
    /// was told, and, where one of them hung, the deadline.
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
        if !record.qemu.is_empty() && record.qemu != self.qemu {
            lines.push(format!("QEMU: {} then, {} here", self.qemu, record.qemu));
        }
        if let Some(identities) = &record.identities {
            lines.extend(self.identities.differences(identities));
        }
        if let Some(plan) = &record.plan {
            let hung = [self.outcome.cause, record.cause].contains(&Cause::Hang);
            if hung && plan.deadline_s != self.plan.deadline_s {
                let [then, here] = [self.plan.deadline_s, plan.deadline_s].map(|seconds| {
                    seconds.map_or_else(|| "none was asked for".to_owned(), |seconds| format!("{seconds} s"))
                });
                lines.push(format!("the deadline: {then} then, {here} here"));
            }
            lines.extend(plan_differences(&self.plan.order, &plan.order));
        }
        lines
    }
}
