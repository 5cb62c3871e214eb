//! What the digest of a deterministic run depends on, beside its plan.

use serde::{Deserialize, Serialize};

/// Hashes of what took part in a run, in hexadecimal. The kernel's is with the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Identities {
    /// Every file that the guest was given: the test binary, the scheduler, external programs, included files, and the host's
    /// shared libraries. Equal payloads run equal programs, whatever host packed them.
    pub payload: String,
    /// The test binary, as the guest gets it.
    pub test_binary: String,
    /// The scheduler's program, as the guest gets it; `None` when the scheduler is part of the kernel.
    pub scheduler: Option<String>,
    /// The boot agent.
    pub agent: String,
    /// QEMU's program and the firmware that its machines run.
    pub qemu: String,
}

impl Identities {
    /// What differs `here` from these, one line each. Programs are named only when the payload differs: it has them all.
    pub fn differences(&self, here: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut compare = |what: &str, then: &str, now: &str| {
            if then != now {
                lines.push(format!("{what}: {} then, {} here", short(then), short(now)));
            }
            then != now
        };
        compare("QEMU and its firmware", &self.qemu, &here.qemu);
        compare("the boot agent", &self.agent, &here.agent);
        if self.payload != here.payload {
            let test = compare("the test binary", &self.test_binary, &here.test_binary);
            let none = "none".to_owned();
            let scheduler = [self, here].map(|one| one.scheduler.as_ref().unwrap_or(&none));
            let scheduler = compare("the scheduler", scheduler[0], scheduler[1]);
            if !test && !scheduler {
                compare("payload programs, shared libraries or included files", &self.payload, &here.payload);
            }
        }
        lines
    }
}

/// As much of a hash as a person compares.
pub(crate) fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identities() -> Identities {
        Identities {
            payload: "1".repeat(64),
            test_binary: "2".repeat(64),
            scheduler: Some("3".repeat(64)),
            agent: "4".repeat(64),
            qemu: "5".repeat(64),
        }
    }

    #[test]
    fn what_differs_is_named() {
        let then = identities();
        assert!(then.differences(&identities()).is_empty());
        let other = "6".repeat(64);
        let qemu = Identities { qemu: other.clone(), ..identities() };
        assert_eq!(then.differences(&qemu), ["QEMU and its firmware: 555555555555 then, 666666666666 here"]);
        let scheduler = Identities { payload: other.clone(), scheduler: None, ..identities() };
        assert_eq!(then.differences(&scheduler), ["the scheduler: 333333333333 then, none here"]);
        let libraries = Identities { payload: other, ..identities() };
        assert_eq!(
            then.differences(&libraries),
            ["payload programs, shared libraries or included files: 111111111111 then, 666666666666 here"]
        );
    }
}
