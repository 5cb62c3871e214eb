//! A scenario from its plan to its verdict.

use std::time::Duration;

use anyhow::Result;
use ktstr_checks::judge_workers;
use ktstr_model::{Assert, AssertResult, Backdrop, CgroupDef, HoldSpec, WorkerReport};

use super::check::{Given, check};
use super::plan::{Hold, Part, Plan};
use super::scene::Scene;
use super::step::Step;
use crate::clock::monotonic_ns;
use crate::context::{Ctx, HoldEnd};
use crate::entry::in_guest;
use crate::error::GuestError;
use crate::rehearsal;

/// Sets up cgroups with their workers, lets them work for `ctx.duration`, and judges them by `ctx.assert`.
///
/// # Errors
/// As [`execute_scenario`].
pub fn execute_defs(ctx: &Ctx, defs: Vec<CgroupDef>) -> Result<AssertResult> {
    execute_steps(ctx, vec![Step::with_defs(defs, HoldSpec::FULL)])
}

/// Plays steps one after the other and judges all workers by `ctx.assert`.
///
/// # Errors
/// As [`execute_scenario`].
pub fn execute_steps(ctx: &Ctx, steps: Vec<Step>) -> Result<AssertResult> {
    execute_steps_with(ctx, steps, None)
}

/// As [`execute_steps`], judged by `checks` instead of `ctx.assert` when there are some.
///
/// # Errors
/// As [`execute_scenario`].
pub fn execute_steps_with(ctx: &Ctx, steps: Vec<Step>, checks: Option<&Assert>) -> Result<AssertResult> {
    execute_scenario_with(ctx, Backdrop::EMPTY, steps, checks)
}

/// Sets the backdrop up, plays the steps before it, and judges all workers by `ctx.assert` and external programs by what is
/// said of them.
///
/// What a step makes goes when the step is over, workers in cgroups of the backdrop included; what it changes of the
/// backdrop stays. Workers that were stopped are judged with those of the same step, or with those of the backdrop. When
/// the scheduler under test dies, the rest is left out, and a note says so. All CPUs are on line at the end.
///
/// # Errors
/// When a part of the scenario makes no sense, before anything is made; when the kernel refuses something. The error
/// names the step, the operation and the value.
pub fn execute_scenario(ctx: &Ctx, backdrop: Backdrop, steps: Vec<Step>) -> Result<AssertResult> {
    execute_scenario_with(ctx, backdrop, steps, None)
}

/// As [`execute_scenario`], judged by `checks` instead of `ctx.assert` when there are some.
///
/// # Errors
/// As there.
pub fn execute_scenario_with(
    ctx: &Ctx,
    backdrop: Backdrop,
    steps: Vec<Step>,
    checks: Option<&Assert>,
) -> Result<AssertResult> {
    let plan = Plan::new(ctx, backdrop, steps)?;
    let given = Given {
        topo: &ctx.topo,
        usual_workers: ctx.workers_per_cgroup,
        work_type_override: ctx.work_type_override.as_ref(),
        payloads: ctx.payload_orders(),
        hotplug: in_guest() || ctx.in_rehearsal(),
    };
    check(&plan, given)?;
    if ctx.in_rehearsal() {
        rehearsal::end();
    }
    let assert = *checks.unwrap_or(&ctx.assert);
    let (scene, now) = (Scene::new(ctx), String::new());
    Ok(Play { ctx, assert, scene, named: plan.parts.len() > 1, now }.all(&plan)?)
}

struct Play<'ctx> {
    ctx: &'ctx Ctx,
    assert: Assert,
    scene: Scene<'ctx>,
    /// Whether violations say which part of the scenario they were seen in.
    named: bool,
    /// Where in the scenario it is, such as `during step 2, op 1`.
    now: String,
}

impl Play<'_> {
    fn all(mut self, plan: &Plan) -> Result<AssertResult, GuestError> {
        let mut result = AssertResult::pass();
        for (index, part) in plan.parts.iter().enumerate() {
            let end = self.part(part)?;
            if !part.lasting {
                let reports = self.scene.record(&part.title, "ends", Scene::end_step)?;
                result.merge(self.judge(&part.title, &reports));
            }
            if end == HoldEnd::SchedulerDied {
                let left = plan.parts.len() - index - 1;
                let now = std::mem::take(&mut self.now);
                result.note(format!("the scheduler died {now}; {left} steps after it were left out"));
                self.ctx.record_death(now);
                break;
            }
        }
        let reports = self.scene.record("scenario", "ends", Scene::end)?;
        result.merge(self.judge("backdrop", &reports));
        Ok(result)
    }

    fn part(&mut self, part: &Part) -> Result<HoldEnd, GuestError> {
        self.now = format!("before {} began", part.title);
        if !self.ctx.scheduler_alive() {
            return Ok(HoldEnd::SchedulerDied);
        }
        self.now = format!("during {}", part.title);
        self.scene.lasting(part.lasting);
        if !(part.defs.is_empty() && part.payloads.is_empty()) {
            let defs = part.defs.iter().map(|def| def.name.as_ref());
            let names: Vec<&str> = defs.chain(part.payloads.iter().map(|payload| payload.name)).collect();
            let what = format!("sets up {}", names.join(", "));
            self.scene.record(&part.title, &what, |scene| scene.set_up(&part.defs, &part.payloads))?;
            if self.ctx.hold(self.ctx.settle) == HoldEnd::SchedulerDied {
                return Ok(HoldEnd::SchedulerDied);
            }
        }
        match part.hold {
            Hold::For(time) => match self.ops(part, &part.title)? {
                HoldEnd::Elapsed => Ok(self.ctx.hold(time)),
                HoldEnd::SchedulerDied => Ok(HoldEnd::SchedulerDied),
            },
            Hold::Rounds { total, interval } => self.rounds(part, total, interval),
        }
    }

    /// Does a step's operations again and again, each round an interval after the one before began.
    fn rounds(&mut self, part: &Part, total: Duration, interval: Duration) -> Result<HoldEnd, GuestError> {
        let began_ns = monotonic_ns();
        let elapsed = || Duration::from_nanos(monotonic_ns() - began_ns);
        let (mut round, mut due) = (1, Duration::ZERO);
        while due < total {
            due = (due + interval).min(total);
            let title = format!("{}, round {round}", part.title);
            let ops = self.ops(part, &title)?;
            if ops == HoldEnd::SchedulerDied
                || self.ctx.hold(due.saturating_sub(elapsed())) == HoldEnd::SchedulerDied
            {
                return Ok(HoldEnd::SchedulerDied);
            }
            round += 1;
        }
        Ok(HoldEnd::Elapsed)
    }

    fn ops(&mut self, part: &Part, title: &str) -> Result<HoldEnd, GuestError> {
        for (op, number) in part.ops.iter().zip(1..) {
            if !self.ctx.scheduler_alive() {
                return Ok(HoldEnd::SchedulerDied);
            }
            let place = format!("{title}, op {number}");
            self.now = format!("during {place} ({op})");
            self.scene.record(&place, &op.to_string(), |scene| scene.act(op))?;
        }
        if !self.ctx.scheduler_alive() {
            return Ok(HoldEnd::SchedulerDied);
        }
        self.now = format!("during {title}");
        Ok(HoldEnd::Elapsed)
    }

    /// What workers and external programs did wrong.
    fn judge(&mut self, title: &str, reports: &[WorkerReport]) -> AssertResult {
        let mut result = judge_workers(&self.assert, reports);
        result.merge(self.scene.take_found());
        if self.named {
            for detail in &mut result.details {
                detail.message = format!("{title}: {}", detail.message);
            }
        }
        result
    }
}
