//! Running a replay token again: its plan in place of what the declaration and the environment say.

use ktstr_model::Mode;
use ktstr_results::replay::ReplayToken;

use crate::error::HarnessError;
use crate::plan::RunPlan;

/// Makes `plan` that of the run that `token` is of, as far as the declaration does not decide it: seed, duration, work
/// type, what is done to the machine meanwhile, kernel arguments, memory, and a deadline that was asked for. What else differs
/// is seen in the record.
///
/// # Errors
/// When the plan is for another test, another topology or another mode.
pub(crate) fn follow(token: &ReplayToken, plan: &mut RunPlan) -> Result<(), HarnessError> {
    let (then, order) = (&token.plan.order, &mut plan.order);
    let differs = |what, then: String, now: String| {
        Err(HarnessError::ReplayOfAnother { id: token.id, what, then, now })
    };
    if order.test != then.test {
        return differs("test", then.test.clone(), order.test.clone());
    }
    if order.topology != then.topology {
        return differs("topology", then.topology.to_string(), order.topology.to_string());
    }
    if plan.machine.mode != Mode::Deterministic {
        return differs("mode", Mode::Deterministic.to_string(), plan.machine.mode.to_string());
    }
    order.seed = then.seed;
    order.duration_ns = then.duration_ns;
    order.work_type.clone_from(&then.work_type);
    order.perturbation.clone_from(&then.perturbation);
    plan.machine.kargs.clone_from(&token.plan.kargs);
    plan.machine.memory_mb = token.plan.memory_mb;
    plan.deadline_s = token.plan.deadline_s.or(plan.deadline_s);
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use ktstr_model::{TestSpec, Topology};
    use ktstr_results::replay::{TokenKernel, TokenOutcome, TokenTest};
    use ktstr_results::{Identities, Plan};
    use ktstr_vm::{MachineSpec, Purpose};

    use super::*;
    use crate::plan::order;

    /// The plan of a run that nothing was asked for.
    pub(crate) fn plan(name: &'static str, topology: Topology, mode: Mode) -> RunPlan {
        let machine = MachineSpec {
            kernel: "/boot/x".into(),
            kernel_sha256: "ab".repeat(32),
            kargs: Vec::new(),
            topology,
            memory_mb: 512,
            mode,
            purpose: Purpose::Test,
            disk_mb: 0,
        };
        let order = order(&TestSpec::new(name, "t"), topology, mode, 1);
        RunPlan {
            machine,
            order,
            files: Vec::new(),
            payloads: Vec::new(),
            scheduler: None,
            texts: Vec::new(),
            topology_named: false,
            deadline_s: None,
        }
    }

    /// The token of a run of `stalls` with seed 7.
    pub(crate) fn token(topology: Topology) -> ReplayToken {
        let mut order = plan("stalls", topology, Mode::Deterministic).order;
        order.seed = 7;
        order.duration_ns = 250_000_000;
        ReplayToken {
            id: "0123456789ab".parse().unwrap(),
            schema: ReplayToken::SCHEMA,
            test: TokenTest { program: Default::default(), test: "stalls".into(), cell: None },
            kernel: TokenKernel { release: "7.3.4".into(), sha256: "ab".repeat(32) },
            plan: Plan {
                kargs: vec!["nosmt".into()],
                memory_mb: 768,
                deadline_s: Some(8),
                ..Plan::plain(order)
            },
            qemu: "10.0.11".into(),
            identities: Identities::default(),
            outcome: TokenOutcome {
                verdict: ktstr_model::Verdict::Fail,
                cause: ktstr_model::Cause::SchedulerDied,
                headline: String::new(),
                digest: None,
            },
        }
    }

    #[test]
    fn a_plan_becomes_that_of_the_token() {
        let topology = Topology::new(1, 2, 2, 1).unwrap();
        let token = token(topology);
        let mut plan = plan("stalls", topology, Mode::Deterministic);
        follow(&token, &mut plan).unwrap();
        assert_eq!(plan.order, token.plan.order);
        assert_eq!((plan.machine.kargs, plan.machine.memory_mb), (vec!["nosmt".to_owned()], 768));
        assert_eq!(plan.deadline_s, Some(8));
    }

    #[test]
    fn another_test_topology_or_mode_is_refused() {
        let [small, large] = [2, 4].map(|cores| Topology::new(1, 2, cores, 1).unwrap());
        let errors = [
            plan("steady", small, Mode::Deterministic),
            plan("stalls", large, Mode::Deterministic),
            plan("stalls", small, Mode::RealTime),
        ]
        .map(|mut plan| follow(&token(small), &mut plan).unwrap_err().to_string());
        insta::assert_snapshot!(errors.join("\n"), @r"
        the token 0123456789ab is of a run with the test stalls, but here it is steady: a replay of it would be another run. Go back to the commit that it was made at, or run the test anew
        the token 0123456789ab is of a run with the topology 1n2l2c1t, but here it is 1n2l4c1t: a replay of it would be another run. Go back to the commit that it was made at, or run the test anew
        the token 0123456789ab is of a run with the mode deterministic, but here it is real-time: a replay of it would be another run. Go back to the commit that it was made at, or run the test anew
        ");
    }
}
