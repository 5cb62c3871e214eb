//! The command that repeats a run.

use std::env;
use std::path::Path;

use ktstr_kernel::{Cache, Environment};
use ktstr_results::{Record, TestProgram};

/// Variables that decide what is run and that have no option.
const VARIABLES: [&str; 3] = ["KTSTR_SCHEDULER", "KTSTR_QEMU", "KTSTR_CACHE_DIR"];

/// Cargo's profiles that need no `--cargo-profile`.
const DEV: &str = "dev";
const RELEASE: &str = "release";

/// What a process knows of how it was started, as far as repeating needs it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Started {
    /// The test binary as nextest names it (`NEXTEST_BINARY_ID`).
    pub binary_id: Option<String>,
    /// Whether ignored tests were asked for.
    pub ignored: bool,
    /// Set ones of [`VARIABLES`].
    pub variables: Vec<(&'static str, String)>,
    /// The folder of the kernels' cache.
    pub kernels: Option<std::path::PathBuf>,
}

impl Started {
    /// What this process knows.
    pub(crate) fn of_this_process() -> Self {
        let text = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let cache = Cache::locate(&Environment::of_process()).ok();
        Self {
            binary_id: text("NEXTEST_BINARY_ID"),
            ignored: env::args()
                .any(|argument| ["--ignored", "--include-ignored"].contains(&argument.as_str())),
            variables: VARIABLES.iter().filter_map(|name| Some((*name, text(name)?))).collect(),
            kernels: cache.map(|cache| cache.root().join("kernels")),
        }
    }
}

/// One line for a shell, anywhere in the workspace, that repeats the run: same kernel, mode, seed, build profile, packages and
/// features, and no other test, whatever other tests are called.
pub(crate) fn command(record: &Record, started: &Started) -> String {
    let cell = record.cell.as_deref().unwrap_or_default().split('/').collect::<Vec<_>>();
    let words = match cell[..] {
        ["verifier", scheduler, _, preset] => of_sweep(record, started, scheduler, preset),
        _ => of_test(record, started),
    };
    words.join(" ")
}

/// What `cargo ktstr COMMAND` begins with.
fn beginning(command: &str, record: &Record, started: &Started) -> Vec<String> {
    let mut words: Vec<String> =
        started.variables.iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
    words.push(format!("cargo ktstr {command}"));
    if record.program.cargo_profile() == RELEASE {
        words.push("--release".to_owned());
    }
    if let Some(kernel) = &record.kernel {
        words.push(format!("--kernel {}", quoted(&kernel_spec(&kernel.image, started.kernels.as_deref()))));
    }
    if let Some(mode) = record.mode {
        words.push(format!("--mode {mode}"));
    }
    words
}

/// What nextest is told so that it builds the test's binary as it was built.
fn of_build(program: &TestProgram) -> Vec<String> {
    const PACKAGES: [&str; 4] = ["-p", "--package", "--workspace", "--all"];
    let mut words = Vec::new();
    let profile = program.cargo_profile();
    if ![DEV, RELEASE].contains(&profile) {
        words.push(format!("--cargo-profile {}", quoted(profile)));
    }
    // Without one nextest would look at the package of the current folder only.
    let names_packages = program.build.iter().any(|word| PACKAGES.contains(&word.as_str()));
    if !names_packages && !program.package.is_empty() {
        words.push(format!("-p {}", quoted(&program.package)));
    }
    words.extend(program.build.iter().map(|word| quoted(word)));
    words
}

/// A cell of the verifier's sweep, which nothing but that has.
fn of_sweep(record: &Record, started: &Started, scheduler: &str, preset: &str) -> Vec<String> {
    let mut words = beginning("verifier", record, started);
    words.insert(0, format!("KTSTR_SEED={}", record.seed));
    words.push(format!("--scheduler {} --preset {}", quoted(scheduler), quoted(preset)));
    let build = of_build(&record.program);
    if !build.is_empty() {
        words.push(format!("-- {}", build.join(" ")));
    }
    words
}

fn of_test(record: &Record, started: &Started) -> Vec<String> {
    let mut words = beginning("test", record, started);
    if let Some(work_type) = record.plan.as_ref().and_then(|plan| plan.order.work_type.as_ref()) {
        words.push(format!("--work-type {}", quoted(work_type)));
    }
    words.push(format!("--seed {} --", record.seed));
    words.extend(of_build(&record.program));
    let name = name(record);
    if started.ignored || name.contains('/') {
        words.push("--run-ignored all".to_owned());
    }
    let place = match &started.binary_id {
        Some(id) => format!("binary_id(={id}) & "),
        None => binary(&record.test_crate),
    };
    words.push(format!("-E '{place}test(={name})'"));
    words
}

/// Which of a package's test binaries it is, by its crate. A crate's `_` may have been a `-` in the binary's name.
fn binary(test_crate: &str) -> String {
    match test_crate {
        "" => String::new(),
        name if name.contains('_') => format!("binary(/^{}$/) & ", name.replace('_', "[_-]")),
        name => format!("binary(={name}) & "),
    }
}

/// The test's name on one kernel: that of a cell says which of several kernels it is for, and the command names that alone.
fn name(record: &Record) -> String {
    let Some(cell) = &record.cell else { return record.test.clone() };
    match cell.split('/').collect::<Vec<_>>()[..] {
        ["kernels", test, _] => test.to_owned(),
        ["gauntlet", test, preset, ..] => format!("gauntlet/{test}/{preset}"),
        _ => cell.clone(),
    }
}

/// A kernel as `--kernel` takes it: its key where it is in the cache, else its image.
fn kernel_spec(image: &Path, kernels: Option<&Path>) -> String {
    let folder = image.parent().filter(|folder| folder.parent() == kernels && kernels.is_some());
    let key = folder.and_then(Path::file_name);
    key.unwrap_or(image.as_os_str()).to_string_lossy().into_owned()
}

/// A word that a shell takes for one. What no shell can be given stays as it is.
fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), |word| word.into_owned())
}

#[cfg(test)]
mod tests {
    use ktstr_model::Mode;
    use ktstr_results::RecordKernel;

    use super::*;

    fn record() -> Record {
        let image = "/c/kernels/7.3.4+deb13-cloud-amd64/image".into();
        Record {
            test_crate: "sched".into(),
            kernel: Some(RecordKernel { release: "7.3.4".into(), image, sha256: String::new() }),
            mode: Some(Mode::Deterministic),
            ..Record::begun("inner::steady".into(), "my_sched", 7)
        }
    }

    /// The same of a binary that was built so.
    fn built(profile: &str, build: &[&str]) -> Record {
        let program = TestProgram {
            package: "my-sched".into(),
            binary: "sched".into(),
            profile: profile.into(),
            build: build.iter().map(|word| (*word).to_owned()).collect(),
        };
        Record { program, ..record() }
    }

    #[test]
    fn repeats_this_test_of_this_binary_and_no_other() {
        let nextest = Started {
            binary_id: Some("my-sched::sched".into()),
            kernels: Some("/c/kernels".into()),
            ..Started::default()
        };
        assert_eq!(
            command(&built("debug", &[]), &nextest),
            "cargo ktstr test --kernel 7.3.4+deb13-cloud-amd64 --mode deterministic --seed 7 -- -p \
             my-sched -E 'binary_id(=my-sched::sched) & test(=inner::steady)'"
        );
        let cargo = Started {
            ignored: true,
            variables: vec![("KTSTR_SCHEDULER", "/a b/scx".into())],
            ..Started::default()
        };
        assert_eq!(
            command(&built("release", &[]), &cargo),
            "KTSTR_SCHEDULER='/a b/scx' cargo ktstr test --release --kernel /c/kernels/7.3.4+deb13-cloud-amd64/image --mode \
             deterministic --seed 7 -- -p my-sched --run-ignored all -E 'binary(=sched) & test(=inner::steady)'"
        );
    }

    #[test]
    fn it_is_built_as_it_was() {
        let words = |profile: &str, build: &[&str]| {
            let command = command(&built(profile, build), &Started::default());
            let (before, after) = command.split_once(" -- ").unwrap();
            assert_eq!(before.contains("--release"), profile == "release", "{before}");
            after.split(" -E ").next().unwrap().to_owned()
        };
        assert_eq!(words("fast", &[]), "--cargo-profile fast -p my-sched");
        assert_eq!(words("debug", &["--features", "a b"]), "-p my-sched --features 'a b'");
        let of_two = ["--package", "my-sched", "-p", "other", "--all-features"];
        assert_eq!(words("release", &of_two), "--package my-sched -p other --all-features");
        let sweep =
            Record { cell: Some("verifier/big/7.3.4/tiny-1llc".into()), ..built("fast", &["--workspace"]) };
        let sweep = command(&sweep, &Started::default());
        assert!(sweep.ends_with(" --preset tiny-1llc -- --cargo-profile fast --workspace"), "{sweep}");
    }

    #[test]
    fn a_cell_is_repeated_on_its_own_kernel() {
        let of = |cell: &str| {
            let record = Record { cell: Some(cell.into()), ..record() };
            command(&record, &Started::default()).split(" -- ").nth(1).unwrap().to_owned()
        };
        let on_preset = "--run-ignored all -E 'binary(=sched) & test(=gauntlet/t/tiny-2llc)'";
        assert_eq!([of("gauntlet/t/tiny-2llc"), of("gauntlet/t/tiny-2llc/6.18")], [on_preset, on_preset]);
        assert_eq!(of("kernels/t/6.18"), "-E 'binary(=sched) & test(=t)'");
        let record = Record { test_crate: "vm_verdicts".into(), ..record() };
        let command = command(&record, &Started::default());
        assert!(command.ends_with("-E 'binary(/^vm[_-]verdicts$/) & test(=inner::steady)'"), "{command}");
    }

    #[test]
    fn a_cell_of_the_sweep_is_repeated_by_the_sweep() {
        let record = Record { cell: Some("verifier/big#2/7.3.4/tiny-1llc".into()), ..built("debug", &[]) };
        let nextest =
            Started { binary_id: Some("my-sched::sched".into()), ignored: true, ..Started::default() };
        assert_eq!(
            command(&record, &nextest),
            "KTSTR_SEED=7 cargo ktstr verifier --kernel /c/kernels/7.3.4+deb13-cloud-amd64/image --mode deterministic \
             --scheduler 'big#2' --preset tiny-1llc -- -p my-sched"
        );
    }

    #[test]
    fn without_a_machine_only_the_seed_counts() {
        let record = Record { on_host: true, ..Record::begun("t".into(), "eevdf", 1) };
        assert_eq!(command(&record, &Started::default()), "cargo ktstr test --seed 1 -- -E 'test(=t)'");
    }
}
