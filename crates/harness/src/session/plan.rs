//! On the host: what a session needs that is to have a scheduler or a test of this binary.

use ktstr_guest::TestEntry;
use ktstr_kernel::{Cache, Environment};
use ktstr_model::{Mode, Preset, RunOrder, Scheduler, TestSpec, Topology, TopologyError};
use serde::{Deserialize, Serialize};

use super::REQUEST_ARGUMENT;
use crate::cells::{Declared, spec_for};
use crate::error::HarnessError;
use crate::plan::RunPlan;
use crate::scheduler_file::Places;
use crate::scheduler_names::named_schedulers;
use crate::settings::Settings;

/// What a session is to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wanted {
    /// A declared scheduler.
    Scheduler(String),
    /// What a test has: by its path within its crate, or a cell of the gauntlet.
    Test(String),
}

/// A session that is to be planned. The kernel is that of the environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What it is to have.
    pub wanted: Wanted,
    /// The mode of a test on this host.
    pub mode: Mode,
    /// Another topology than the declared one.
    pub topology: Option<Topology>,
}

/// A session that can be begun.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionPlan {
    /// The machine, the files, and the order: of the test, or of one that only keeps the scheduler.
    pub plan: RunPlan,
    /// The test, if it is about one.
    pub test: Option<String>,
    /// What else there is to say, a line each.
    pub notes: Vec<String>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{REQUEST_ARGUMENT}: {0}; `cargo ktstr shell` of another version started this test binary")]
    Request(#[source] serde_json::Error),
    #[error("the plan cannot be written down: {0}")]
    Answer(#[source] serde_json::Error),
    #[error("this test binary declares no scheduler `{name}`; it declares {there}")]
    NoScheduler { name: String, there: String },
    #[error("this test binary has no test `{0}`")]
    NoTest(String),
    #[error("`{0}` runs on the host (host_only), so there is no guest to look into")]
    OnHost(String),
    #[error("`{name}`: there is no preset `{preset}`")]
    NoPreset { name: String, preset: String },
    #[error("`{name}` is a cell of this kind: give its {instead}")]
    OtherCell { name: String, instead: &'static str },
    #[error(transparent)]
    Topology(#[from] TopologyError),
    #[error(transparent)]
    Kernel(#[from] ktstr_kernel::Error),
    #[error(transparent)]
    Harness(#[from] HarnessError),
}

/// The plan that `request` asks for, both as JSON.
pub(super) fn answer(request: &str, declared: &Declared) -> Result<String, Refusal> {
    let request: Request = serde_json::from_str(request).map_err(Refusal::Request)?;
    let plan = plan(&request, declared)?;
    serde_json::to_string(&plan).map_err(Refusal::Answer)
}

fn plan(request: &Request, declared: &Declared) -> Result<SessionPlan, Refusal> {
    let mut notes = Vec::new();
    let (spec, test) = match &request.wanted {
        Wanted::Scheduler(name) => {
            let (spec, configured_by) = spec_for(declared, scheduler_named(name, declared)?);
            let note = configured_by.map(|test| format!("its configuration is that of the test `{test}`"));
            notes.extend(note);
            (TestSpec { read_bpf: false, name: TestSpec::KEEP_SCHEDULER, ..spec }, None)
        }
        Wanted::Test(name) => {
            let spec = test_named(name, declared)?.spec;
            (spec, Some(spec.path()))
        }
    };
    let spec = request.topology.map_or(spec, |topology| spec.on(&topology));
    let settings = Settings::of_this_process()?;
    let environment = Environment::of_process();
    let kernel = ktstr_kernel::discover(&environment, &Cache::locate(&environment)?)?;
    let seed = settings.seed_of(&spec);
    let mut plan = RunPlan::new(&spec, &kernel, request.mode, seed, &Places::of_this_process())?;
    plan.order.work_type = settings.work_type_name();
    Ok(SessionPlan { plan, test, notes })
}

fn scheduler_named(name: &str, declared: &Declared) -> Result<&'static Scheduler, Refusal> {
    let all = named_schedulers(declared);
    let found = all.iter().find(|(other, _)| other == name).map(|(_, scheduler)| *scheduler);
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        Refusal::NoScheduler { name: name.to_owned(), there: names.join(", ") }
    })
}

/// The test, on its own topology or on that of its cell.
fn test_named(name: &str, declared: &Declared) -> Result<TestEntry, Refusal> {
    let (test, preset) = match name.split('/').collect::<Vec<_>>()[..] {
        [test] => (test, None),
        ["gauntlet", test, preset] => (test, Some(preset)),
        ["gauntlet", _, _, _] => {
            return Err(Refusal::OtherCell {
                name: name.to_owned(),
                instead: "name without the kernel, and --kernel",
            });
        }
        ["kernels", ..] => {
            return Err(Refusal::OtherCell {
                name: name.to_owned(),
                instead: "test with --test, and --kernel",
            });
        }
        ["verifier", ..] => {
            let instead = "scheduler with --scheduler, --kernel and --topology";
            return Err(Refusal::OtherCell { name: name.to_owned(), instead });
        }
        _ => return Err(Refusal::NoTest(name.to_owned())),
    };
    let mut entry = *find_test(test, declared).ok_or_else(|| Refusal::NoTest(test.to_owned()))?;
    if entry.spec.host_only {
        return Err(Refusal::OnHost(test.to_owned()));
    }
    if let Some(preset) = preset {
        let no_preset = || Refusal::NoPreset { name: name.to_owned(), preset: preset.to_owned() };
        entry.spec = entry.spec.on(&Preset::named(preset).ok_or_else(no_preset)?.topology);
    }
    Ok(entry)
}

/// The test of this path.
fn find_test<'a>(name: &str, declared: &'a Declared) -> Option<&'a TestEntry> {
    declared.tests.iter().find(|entry| entry.spec.path() == name)
}

/// The test that an order is of; `None` when it only keeps a scheduler.
pub(super) fn test_of(order: &RunOrder, declared: &Declared) -> Option<TestEntry> {
    find_test(&order.test, declared).copied()
}

#[cfg(test)]
mod tests {
    use ktstr_model::{AssertResult, SchedulerSpec};

    use super::*;

    static LAYERS: Scheduler = Scheduler::new("layers").binary(SchedulerSpec::Discover("scx_layers"));
    static STEADY: TestSpec = TestSpec { scheduler: &LAYERS, ..TestSpec::new("steady", "a::inner") };
    static ON_HOST: TestSpec = TestSpec { host_only: true, ..TestSpec::new("on_host", "a") };
    static DECLARED: Declared = Declared {
        tests: &[
            TestEntry::new(STEADY, |_| Ok(AssertResult::pass())),
            TestEntry::new(ON_HOST, |_| Ok(AssertResult::pass())),
        ],
        schedulers: &[&LAYERS, &Scheduler::EEVDF],
    };

    #[test]
    fn a_cell_of_the_gauntlet_is_its_test_on_its_preset() {
        let topology = |name: &str| test_named(name, &DECLARED).unwrap().spec.resolved_topology().unwrap();
        assert_eq!(topology("inner::steady"), LAYERS.topology);
        assert_eq!(topology("gauntlet/inner::steady/odd-3llc"), Topology::of(1, 3, 3, 1));
    }

    #[test]
    fn what_is_not_there_is_told() {
        let tests = [
            "steady",
            "on_host",
            "gauntlet/inner::steady/huge",
            "kernels/inner::steady/7.3",
            "verifier/a/b/c",
            "x/y",
        ];
        let mut told: Vec<String> =
            tests.map(|name| test_named(name, &DECLARED).unwrap_err().to_string()).into();
        told.extend(["eevdf", "layer"].map(|name| scheduler_named(name, &DECLARED).unwrap_err().to_string()));
        insta::assert_snapshot!(told.join("\n"), @r"
        this test binary has no test `steady`
        `on_host` runs on the host (host_only), so there is no guest to look into
        `gauntlet/inner::steady/huge`: there is no preset `huge`
        `kernels/inner::steady/7.3` is a cell of this kind: give its test with --test, and --kernel
        `verifier/a/b/c` is a cell of this kind: give its scheduler with --scheduler, --kernel and --topology
        this test binary has no test `x/y`
        this test binary declares no scheduler `eevdf`; it declares layers
        this test binary declares no scheduler `layer`; it declares layers
        ");
    }

    #[test]
    fn a_request_of_another_version_is_refused() {
        let error = answer("{}", &DECLARED).unwrap_err().to_string();
        assert!(error.starts_with("--ktstr-session: ") && error.contains("another version"), "{error}");
    }
}
