//! Failures by signature.

use std::collections::{BTreeMap, HashSet};

use ktstr_model::{Digest, Verdict};
use ktstr_results::replay::TokenId;
use serde::Serialize;

use crate::outcome::Outcome;
use crate::signature::Signature;

/// Failures that are the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// What they have in common.
    pub signature: Signature,
    /// How many there are.
    pub count: u64,
    /// The run that stands for them: the one with the lowest number, so that it is the same however the campaign was
    /// carried out.
    pub representative: u64,
    /// What that one said, with its figures.
    pub headline: String,
    /// Its replay token.
    pub token: Option<TokenId>,
}

/// What a campaign has found so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    runs: u64,
    skipped: u64,
    digests: HashSet<Digest>,
    groups: BTreeMap<Signature, Group>,
}

impl Tally {
    /// Takes one more run in.
    pub fn add(&mut self, outcome: &Outcome) {
        self.runs += 1;
        self.skipped += u64::from(outcome.verdict == Verdict::Skip);
        self.digests.extend(outcome.digest);
        let Some(signature) = &outcome.signature else { return };
        let first = || Group {
            signature: signature.clone(),
            count: 0,
            representative: outcome.number,
            headline: outcome.headline.clone(),
            token: outcome.token,
        };
        let group = self.groups.entry(signature.clone()).or_insert_with(first);
        group.count += 1;
        if outcome.number < group.representative {
            group.representative = outcome.number;
            group.headline.clone_from(&outcome.headline);
            group.token = outcome.token;
        }
    }

    /// Runs so far.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Those of them that skipped themselves.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Different digests so far.
    pub fn digests(&self) -> u64 {
        self.digests.len() as u64
    }

    /// Failures so far.
    pub fn failures(&self) -> u64 {
        self.groups.values().map(|group| group.count).sum()
    }

    /// Whether a record of one more failure is of use: there are fewer than `enough` of its signature, or it would stand
    /// for them.
    pub fn wants(&self, signature: &Signature, number: u64, enough: u64) -> bool {
        let group = self.groups.get(signature);
        group.is_none_or(|group| group.count < enough || number < group.representative)
    }

    /// The failures by signature: the most frequent first, of equally frequent ones the one found first.
    pub fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = self.groups.values().cloned().collect();
        groups.sort_by_key(|group| (std::cmp::Reverse(group.count), group.representative));
        groups
    }
}

#[cfg(test)]
mod tests {
    use ktstr_model::{Cause, Verdict};
    use proptest::prelude::*;

    use super::*;

    /// A run that failed in one of a few ways, or passed.
    fn outcome(number: u64, way: u8) -> Outcome {
        let headline = format!("{} in run {number}", ["stall", "crash", "error"][usize::from(way % 3)]);
        let signature = (way < 3).then(|| Signature::new(Cause::SchedulerDied, &headline, &[], ""));
        let verdict = if way < 3 { Verdict::Fail } else { Verdict::Pass };
        let digest = Some(Digest::of(&[way]));
        Outcome {
            number,
            verdict,
            signature,
            headline,
            digest,
            guest_ns: 0,
            wall_ms: 0.0,
            variation: None,
            token: None,
        }
    }

    fn tally(outcomes: &[Outcome]) -> Tally {
        let mut tally = Tally::default();
        outcomes.iter().for_each(|outcome| tally.add(outcome));
        tally
    }

    proptest! {
        #[test]
        fn the_order_in_which_runs_end_changes_nothing(ways in prop::collection::vec(0u8..6, 0..60)) {
            let outcomes: Vec<Outcome> = (0..).zip(ways).map(|(number, way)| outcome(number, way)).collect();
            let reversed: Vec<Outcome> = outcomes.iter().rev().cloned().collect();
            let (one, other) = (tally(&outcomes), tally(&reversed));
            prop_assert_eq!(one.groups(), other.groups());
            prop_assert_eq!(one.digests(), other.digests());
        }

        #[test]
        fn every_failure_is_in_one_group(ways in prop::collection::vec(0u8..6, 0..60)) {
            let outcomes: Vec<Outcome> = (0..).zip(ways).map(|(number, way)| outcome(number, way)).collect();
            let tally = tally(&outcomes);
            let failed: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.failed()).collect();
            prop_assert_eq!((tally.runs(), tally.failures()), (outcomes.len() as u64, failed.len() as u64));
            let groups = tally.groups();
            prop_assert!(groups.is_sorted_by_key(|group| std::cmp::Reverse(group.count)));
            for group in groups {
                let of_group = |o: &&&Outcome| o.signature.as_ref() == Some(&group.signature);
                let members: Vec<_> = failed.iter().filter(of_group).collect();
                prop_assert_eq!(group.count, members.len() as u64);
                prop_assert_eq!(Some(group.representative), members.iter().map(|o| o.number).min());
                prop_assert_eq!(&group.headline, &members[0].headline);
            }
        }
    }
}
