//! From steps to what is to be done when: functions called, fractions turned into times.

use std::time::Duration;

use ktstr_model::{Backdrop, CgroupDef, HoldSpec, Op, Payload};

use super::step::Step;
use crate::context::Ctx;
use crate::error::GuestError;
use crate::panic;

/// A scenario with nothing left open.
#[derive(Debug)]
pub(super) struct Plan {
    pub parts: Vec<Part>,
}

/// The backdrop, or a step.
#[derive(Debug)]
pub(super) struct Part {
    /// `backdrop`, or `step` and its number from 1.
    pub title: String,
    /// Whether what it makes is there until the scenario ends.
    pub lasting: bool,
    pub defs: Vec<CgroupDef>,
    /// External programs outside of all cgroups.
    pub payloads: Vec<&'static Payload>,
    pub ops: Vec<Op>,
    pub hold: Hold,
}

/// How long a part lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Hold {
    /// This long.
    For(Duration),
    /// So many rounds, of which each but the last takes an interval; this long in all.
    Rounds { total: Duration, interval: Duration },
}

impl Hold {
    /// How often the operations are done.
    pub(super) fn rounds(self) -> u128 {
        match self {
            Self::For(_) => 1,
            Self::Rounds { total, interval } => total.as_nanos().div_ceil(interval.as_nanos().max(1)).max(1),
        }
    }
}

impl Part {
    /// Where an operation of it stands.
    pub(super) fn place_of(&self, index: usize, op: &Op) -> String {
        format!("{}, op {} ({op})", self.title, index + 1)
    }
}

/// What is wrong with a part of a scenario.
pub(super) fn wrong(place: impl Into<String>, why: impl ToString) -> GuestError {
    GuestError::Step { place: place.into(), why: why.to_string() }
}

impl Plan {
    /// The plan of a scenario on this machine.
    ///
    /// # Errors
    /// When there is nothing to do, or when the steps' times make no sense.
    pub(super) fn new(ctx: &Ctx, backdrop: Backdrop, steps: Vec<Step>) -> Result<Self, GuestError> {
        if steps.is_empty() {
            return Err(wrong(
                "scenario",
                "it has no steps; write at least one, such as `Step::new(vec![], HoldSpec::FULL)`",
            ));
        }
        let holds: Vec<HoldSpec> = steps.iter().map(|step| step.hold).collect();
        let holds = times(ctx.duration, &holds)?;
        let mut parts = Vec::new();
        let Backdrop { cgroups, payloads, ops } = backdrop;
        if !(cgroups.is_empty() && payloads.is_empty() && ops.is_empty()) {
            let hold = Hold::For(Duration::ZERO);
            let title = "backdrop".to_owned();
            parts.push(Part { title, lasting: true, defs: cgroups, payloads, ops, hold });
        }
        for (number, (step, hold)) in steps.into_iter().zip(holds).enumerate() {
            let title = title(number);
            let defs = panic::during(format!("{title}, its setup function"), || step.setup.resolve(ctx));
            parts.push(Part { title, lasting: false, defs, payloads: Vec::new(), ops: step.ops, hold });
        }
        Ok(Self { parts })
    }
}

fn title(number: usize) -> String {
    format!("step {}", number + 1)
}

/// How long steps last in a test of this duration. Loops share what the others leave.
fn times(duration: Duration, holds: &[HoldSpec]) -> Result<Vec<Hold>, GuestError> {
    let (mut fractions, mut taken, mut loops) = (0.0, Duration::ZERO, 0);
    for (number, hold) in holds.iter().enumerate() {
        match *hold {
            HoldSpec::Frac(fraction) if !(0.0..=1.0).contains(&fraction) => {
                return Err(wrong(title(number), format!("HoldSpec::Frac({fraction}) is outside 0 to 1")));
            }
            HoldSpec::Frac(fraction) => {
                fractions += fraction;
                // Tenths that are added up differ from what they are in decimal.
                if fractions > 1.0 + 1e-9 {
                    let why = format!(
                        "with HoldSpec::Frac({fraction}) the fractions of all steps up to here add up to {fractions:.3}, which is more than the whole of the test's duration"
                    );
                    return Err(wrong(title(number), why));
                }
                taken += duration.mul_f64(fraction);
            }
            HoldSpec::Fixed(time) => taken = taken.saturating_add(time),
            HoldSpec::Loop { interval } if interval.is_zero() => {
                return Err(wrong(
                    title(number),
                    "HoldSpec::Loop with an interval of 0 would never end; write a longer one",
                ));
            }
            HoldSpec::Loop { .. } => loops += 1,
        }
    }
    let share = duration.saturating_sub(taken) / loops.max(1);
    let time = |(number, hold): (usize, &HoldSpec)| match *hold {
        HoldSpec::Frac(fraction) => Ok(Hold::For(duration.mul_f64(fraction))),
        HoldSpec::Fixed(time) => Ok(Hold::For(time)),
        HoldSpec::Loop { .. } if share.is_zero() => {
            let why = format!(
                "HoldSpec::Loop has no time left: the other steps take {taken:?} of the test's {duration:?}"
            );
            Err(wrong(title(number), why))
        }
        HoldSpec::Loop { interval } => Ok(Hold::Rounds { total: share, interval }),
    };
    holds.iter().enumerate().map(time).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn refused(holds: &[HoldSpec]) -> String {
        times(MS(1000), holds).unwrap_err().to_string()
    }

    #[test]
    fn loops_share_what_the_others_leave() {
        let holds = [
            HoldSpec::frac(0.5),
            HoldSpec::loop_at(MS(30)),
            HoldSpec::fixed(MS(100)),
            HoldSpec::loop_at(MS(300)),
        ];
        let rounds = |interval| Hold::Rounds { total: MS(200), interval: MS(interval) };
        let times = times(MS(1000), &holds).unwrap();
        assert_eq!(times, [Hold::For(MS(500)), rounds(30), Hold::For(MS(100)), rounds(300)]);
        assert_eq!(times.iter().map(|hold| hold.rounds()).collect::<Vec<_>>(), [1, 7, 1, 1]);
    }

    #[test]
    fn tenths_add_up_to_the_whole() {
        assert!(times(MS(1000), &[HoldSpec::frac(0.1); 10]).is_ok());
        assert!(times(MS(1000), &[HoldSpec::FULL]).is_ok());
    }

    #[test]
    fn times_that_make_no_sense_are_refused() {
        let says = refused(&[HoldSpec::frac(0.5), HoldSpec::frac(0.3), HoldSpec::frac(0.4)]);
        assert!(
            says.starts_with("step 3: with HoldSpec::Frac(0.4)") && says.contains("add up to 1.200"),
            "{says}"
        );
        assert_eq!(refused(&[HoldSpec::frac(-0.1)]), "step 1: HoldSpec::Frac(-0.1) is outside 0 to 1");
        assert!(refused(&[HoldSpec::frac(f64::NAN)]).contains("Frac(NaN) is outside"));
        assert!(refused(&[HoldSpec::loop_at(MS(0))]).contains("would never end"));
        let says = refused(&[HoldSpec::loop_at(MS(5)), HoldSpec::fixed(MS(1000))]);
        assert_eq!(says, "step 1: HoldSpec::Loop has no time left: the other steps take 1s of the test's 1s");
    }
}
