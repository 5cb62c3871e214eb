//! `--scheduler` and `--test`: what a test binary declares, brought into a shell.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use ktstr_harness::session::{
    COMMAND_FOLDER, LIST_SCHEDULERS, ORDER_FILE, REQUEST_ARGUMENT, Request, SessionPlan, Wanted,
    command_names, parse_listed,
};
use ktstr_host::install_nextest;
use ktstr_kernel::{Kernel, KernelSet};
use ktstr_model::{Mode, RunOrder};
use ktstr_vm::{MachineSpec, Payload};
use ktstr_wire::layout::TEST_BINARY;

use super::Args;
use crate::missing_tool::NoNextest;
use crate::similar;
use crate::test::nextest_list::{self, TestInBinary};
use crate::test::{build_programs, choose_test, has_nextest};

/// The command that a session with a scheduler begins with.
const START_SCHEDULER: &str = "start-scheduler";
/// The one that runs the test.
const RUN_TEST: &str = "run-test";

/// The test binary that declares what was asked for.
pub struct Declaring {
    binary: TestInBinary,
    wanted: Wanted,
}

impl Declaring {
    /// Builds schedulers and tests, and finds the binary; `None` when nothing declared was asked for.
    pub fn find(args: &Args) -> Result<Option<Self>> {
        let wanted = match (&args.scheduler, &args.test) {
            (Some(name), _) => Wanted::Scheduler(name.clone()),
            (None, Some(name)) => Wanted::Test(name.clone()),
            (None, None) => {
                ensure!(
                    args.binary.is_none(),
                    "--binary says where a --scheduler or a --test is declared: give one"
                );
                return Ok(None);
            }
        };
        if !has_nextest() {
            return Err(NoNextest(install_nextest().to_string()).into());
        }
        build_programs(args.release, &[])?;
        let release = args.release.then(|| "--release".to_owned());
        let listed = nextest_list::all(release.as_slice(), |command| {
            command.env_remove(KernelSet::VARIABLE).env(LIST_SCHEDULERS, "1");
            Ok(())
        })?;
        let (schedulers, tests): (Vec<_>, Vec<_>) =
            listed.into_iter().partition(|test| parse_listed(&test.name).is_some());
        let binary = match &wanted {
            Wanted::Scheduler(name) => choose_scheduler(name, args.binary.as_deref(), schedulers)?,
            Wanted::Test(name) => choose_test::choose(name, args.binary.as_deref(), tests)?,
        };
        Ok(Some(Self { binary, wanted }))
    }

    /// Asks the binary for a plan.
    pub fn plan(self, args: &Args, kernel: &Kernel, mode: Mode) -> Result<Declared> {
        let Self { binary, wanted } = self;
        let request = Request { wanted, mode, topology: args.topology };
        let request = serde_json::to_string(&request).context("the request")?;
        let program = binary.binary.display();
        let output = Command::new(&binary.binary)
            .args([REQUEST_ARGUMENT, &request])
            .current_dir(&binary.folder)
            .env("KTSTR_TEST_KERNEL", &kernel.image)
            .env_remove(KernelSet::VARIABLE)
            .output()
            .with_context(|| format!("running {program}"))?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let session = serde_json::from_slice(&output.stdout).with_context(|| {
            format!(
                "the answer of {program}: was it built with the version of ktstr that this command is of?"
            )
        })?;
        Ok(Declared { binary: binary.binary, session })
    }
}

/// What a shell has of a declaration.
pub struct Declared {
    /// The test binary.
    binary: PathBuf,
    session: SessionPlan,
}

impl Declared {
    /// The machine, as for a test.
    pub fn machine(&self) -> &MachineSpec {
        &self.session.plan.machine
    }

    /// Adds the files of the plan, and the commands.
    pub fn add_files(&self, payload: &mut Payload) -> Result<()> {
        let plan = &self.session.plan;
        if let Some(twice) = plan.guest_paths().find(|path| payload.has(path)) {
            bail!(
                "what the declaration brings and what -i does would both be {twice} in the guest: rename one"
            );
        }
        plan.add_to(payload, &self.binary)?;
        for name in command_names(&self.session) {
            payload.add_link(&format!("{COMMAND_FOLDER}/{name}"), TEST_BINARY);
        }
        Ok(())
    }

    /// What is run before the shell.
    pub fn first_command(&self) -> Option<&'static str> {
        self.session.plan.order.scheduler.as_ref().map(|_| START_SCHEDULER)
    }

    /// Says where the shell is, and what there is to type.
    pub fn announce(&self, interactive: bool) {
        self.session.notes.iter().for_each(|note| eprintln!("ktstr: {note}"));
        if !interactive {
            return;
        }
        if let Some(test) = &self.session.test {
            eprintln!("ktstr: where `{test}` runs; this runs it: {RUN_TEST}");
        }
        let mut others = command_names(&self.session);
        others.retain(|name| *name != RUN_TEST);
        if !others.is_empty() {
            eprintln!("ktstr: of the scheduler: {}", others.join(", "));
        }
    }

    /// Adds what the commands carry out. `turn_ns` is the template's.
    pub fn add_order(&self, payload: &mut Payload, turn_ns: u64) -> Result<()> {
        let order = RunOrder { turn_ns, ..self.session.plan.order.clone() };
        let bytes = ktstr_wire::encode(&order).context("the order")?;
        payload.add_bytes(ORDER_FILE, 0o644, bytes);
        Ok(())
    }
}

/// One of the binaries that declare the scheduler. Many may, in the same words: a library declares it for all that are
/// linked with it.
fn choose_scheduler(name: &str, binary: Option<&str>, listed: Vec<TestInBinary>) -> Result<TestInBinary> {
    let name_of = |listed: &TestInBinary| parse_listed(&listed.name).map_or("", |(name, _)| name).to_owned();
    let names: BTreeSet<String> = listed.iter().map(name_of).collect();
    let mut found: Vec<TestInBinary> = listed.into_iter().filter(|listed| name_of(listed) == name).collect();
    if found.is_empty() && names.is_empty() {
        bail!("no test binary here declares a scheduler (see `declare_scheduler!`), so there is no `{name}`");
    }
    if found.is_empty() {
        bail!("there is no scheduler `{name}`: {}", similar::hint(name, "test binaries here declare", names));
    }
    let ids: Vec<String> = found.iter().map(|listed| listed.binary_id.clone()).collect();
    if let Some(binary) = binary {
        found.retain(|listed| listed.binary_id == binary);
        ensure!(
            !found.is_empty(),
            "`{binary}` declares no scheduler `{name}`; it is declared in {}",
            ids.join(", ")
        );
    }
    let declarations: BTreeSet<&str> = found.iter().map(|listed| listed.name.as_str()).collect();
    ensure!(
        declarations.len() == 1,
        "different schedulers are called `{name}`: choose one with --binary: {}",
        ids.join(", ")
    );
    Ok(found.swap_remove(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed() -> Vec<TestInBinary> {
        [("x", "layers/1"), ("y", "layers/1"), ("x", "two/1"), ("y", "two/2")]
            .map(|(target, name)| TestInBinary::of(target, &format!("scheduler/{name}")))
            .to_vec()
    }

    fn chosen(name: &str, binary: Option<&str>) -> String {
        match choose_scheduler(name, binary, listed()) {
            Ok(chosen) => chosen.binary_id,
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_scheduler_is_chosen_or_the_words_say_how() {
        let all = [
            ("layers", None),
            ("two", Some("a::y")),
            ("two", None),
            ("layer", None),
            ("xyz", None),
            ("two", Some("b")),
        ];
        let told: Vec<String> = all.into_iter().map(|(name, binary)| chosen(name, binary)).collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        a::x
        a::y
        different schedulers are called `two`: choose one with --binary: a::x, a::y
        there is no scheduler `layer`: did you mean layers?
        there is no scheduler `xyz`: test binaries here declare layers, two
        `b` declares no scheduler `two`; it is declared in a::x, a::y
        ");
        let none = choose_scheduler("a", None, Vec::new()).unwrap_err().to_string();
        assert!(none.starts_with("no test binary here declares a scheduler"), "{none}");
    }
}
