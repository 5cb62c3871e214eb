use std::ffi::OsStr;

use ktstr_guest::{Ctx, TestEntry};
use ktstr_model::{
    AssertResult, ConstraintsChoice, ModeChoice, SchedulerSpec, TestSpec, TopologyConstraints,
};

use ktstr_results::RecordFolder;

use super::*;

static SMALL: Scheduler = Scheduler::new("small")
    .constraints(TopologyConstraints { max_cpus: Some(4), ..TopologyConstraints::DEFAULT });

fn pass(_: &Ctx) -> anyhow::Result<AssertResult> {
    Ok(AssertResult::pass())
}

const fn entry(spec: TestSpec) -> TestEntry {
    TestEntry::new(spec, pass)
}

const SMT: ConstraintsChoice =
    ConstraintsChoice { requires_smt: Some(true), max_cpus: Some(12), ..ConstraintsChoice::INHERITED };

static TESTS: [TestEntry; 3] = [
    entry(TestSpec { host_only: true, ..TestSpec::new("on_host", "c") }),
    entry(TestSpec { scheduler: &SMALL, ignored: true, ..TestSpec::new("small", "c::inner") }),
    entry(TestSpec { scheduler: &SMALL, constraints: SMT, ..TestSpec::new("odd", "c") }),
];

const DECLARED: Declared = Declared { tests: &TESTS, schedulers: &[&SMALL] };

fn kernels(variable: &str) -> KernelSet {
    KernelSet::of_variable(OsStr::new(variable)).unwrap()
}

fn listed(variable: &str) -> String {
    let cells = list(&DECLARED, &kernels(variable));
    cells
        .iter()
        .map(|cell| format!("{}{}\n", cell.name, if cell.ignored { " (ignored)" } else { "" }))
        .collect()
}

fn settings() -> Settings {
    Settings {
        kernel: None,
        cell: None,
        topology: None,
        mode: ModeChoice::Auto,
        seed: 1,
        work_type: None,
        records: RecordFolder::Fixed("unused".into()),
        deadline: None,
        commit: None,
        check_determinism: false,
        replay: None,
        invocation: None,
        deny_skip: false,
        allow_inconclusive: false,
        raw_logs: false,
    }
}

fn refusal(name: &str, variable: &str) -> String {
    run_named(name, &DECLARED, &kernels(variable), &settings()).err().unwrap().to_string()
}

#[test]
fn a_test_is_expanded_over_the_presets_that_meet_its_constraints() {
    insta::assert_snapshot!(listed(""), @r"
    gauntlet/inner::small/tiny-1llc (ignored)
    gauntlet/inner::small/tiny-2llc (ignored)
    gauntlet/odd/smt-2llc (ignored)
    gauntlet/odd/smt-3llc (ignored)
    ");
    assert_eq!(listed("7.3.4=/k"), listed(""), "one kernel is no dimension");
}

#[test]
fn several_kernels_are_a_dimension() {
    insta::assert_snapshot!(listed("7.3.4=/new:6.18.5=/old"), @r"
    kernels/inner::small/6.18.5 (ignored)
    kernels/odd/6.18.5
    gauntlet/inner::small/tiny-1llc/7.3.4 (ignored)
    gauntlet/inner::small/tiny-1llc/6.18.5 (ignored)
    gauntlet/inner::small/tiny-2llc/7.3.4 (ignored)
    gauntlet/inner::small/tiny-2llc/6.18.5 (ignored)
    gauntlet/odd/smt-2llc/7.3.4 (ignored)
    gauntlet/odd/smt-2llc/6.18.5 (ignored)
    gauntlet/odd/smt-3llc/7.3.4 (ignored)
    gauntlet/odd/smt-3llc/6.18.5 (ignored)
    ");
}

#[test]
fn a_name_that_names_nothing_is_refused_with_what_there_is() {
    const TWO: &str = "7.3.4=/new:6.18.5=/old";
    let names = [
        ("gauntlet/odd/huge", ""),
        ("gauntlet/odd/tiny-1llc", ""),
        ("gauntlet/old/smt-2llc", ""),
        ("gauntlet/on_host/tiny-1llc", ""),
        ("gauntlet/odd/smt-2llc/7.0", ""),
        ("gauntlet/odd/smt-2llc/7.0", TWO),
        ("gauntlet/odd", ""),
        ("kernels/on_host/6.18.5", TWO),
        ("kernels/odd", TWO),
    ];
    assert!(names.iter().all(|(name, _)| is_cell_name(name)));
    let refusals: Vec<String> = names.iter().map(|(name, variable)| refusal(name, variable)).collect();
    insta::assert_snapshot!(refusals.join("\n"), @r"
    `gauntlet/odd/huge` is no cell of this test binary: there is no preset `huge`; there are tiny-1llc, tiny-2llc, odd-3llc, odd-5llc, odd-7llc, smt-2llc, smt-3llc, medium-4llc, medium-8llc, large-4llc, large-8llc, near-max-llc, max-cpu, medium-4llc-nosmt, medium-8llc-nosmt, large-4llc-nosmt, large-8llc-nosmt, near-max-llc-nosmt, max-cpu-nosmt, numa2-4llc, numa2-8llc, numa2-8llc-nosmt, numa4-8llc, numa4-12llc
    `gauntlet/odd/tiny-1llc` is no cell of this test binary: the constraints of `odd` leave the preset `tiny-1llc` (1n1l4c1t) out; they accept smt-2llc, smt-3llc
    `gauntlet/old/smt-2llc` is no cell of this test binary: it has no test `old`; its tests are inner::small, odd, on_host
    `gauntlet/on_host/tiny-1llc` is no cell of this test binary: `on_host` runs on no preset
    `gauntlet/odd/smt-2llc/7.0` is no cell of this test binary: it names the kernel `7.0`, but no kernels were given: `cargo ktstr test` with `--kernel` two times or more does it, or `cargo ktstr verifier` (KTSTR_TEST_KERNELS is not set)
    `gauntlet/odd/smt-2llc/7.0` is no cell of this test binary: no kernel of this run has the label `7.0`; they are 7.3.4, 6.18.5
    `gauntlet/odd` is no cell of this test binary: names of this kind are gauntlet/TEST/PRESET or gauntlet/TEST/PRESET/KERNEL
    `kernels/on_host/6.18.5` is no cell of this test binary: `on_host` runs on the host, without a kernel of its own
    `kernels/odd` is no cell of this test binary: names of this kind are kernels/TEST/KERNEL
    ");
}

#[test]
fn a_machine_that_no_host_carries_is_skipped_with_the_reason() {
    static HUGE: TestSpec = TestSpec { memory_mb: u32::MAX, ..TestSpec::new("huge", "c") };
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { records: RecordFolder::Fixed(folder.path().to_owned()), ..settings() };
    let cell = cell_run::CellRun { entry: entry(HUGE), kernel: None, name: "gauntlet/huge/tiny-1llc" };
    let end = cell_run::run_test_cell(&cell, &settings);
    assert_eq!(end.verdict, Verdict::Skip);
    assert!(end.text.starts_with("SKIP: gauntlet/huge/tiny-1llc"), "{}", end.text);
    assert!(end.text.contains("takes 4294967295 MiB of memory; this host has"), "{}", end.text);
    let record =
        std::fs::read_dir(folder.path()).unwrap().flatten().find(|file| file.path().is_file()).unwrap();
    let record = std::fs::read_to_string(record.path()).unwrap();
    assert!(record.contains(r#""cell":"gauntlet/huge/tiny-1llc""#), "{record}");
}

mod verifier {
    use super::*;

    const TINY: TopologyConstraints =
        TopologyConstraints { max_cpus: Some(4), ..TopologyConstraints::DEFAULT };
    static BPF: Scheduler = Scheduler::new("a/b")
        .binary(SchedulerSpec::Discover("scx_b"))
        .constraints(TINY)
        .config_file_def("-c {file}", "/c");
    static SAME: Scheduler = BPF;
    static OTHER: Scheduler = BPF.sched_args(&["-x"]);
    static FILTERED: Scheduler =
        Scheduler::new("old").binary(SchedulerSpec::Discover("scx_old")).constraints(TINY).kernels(&["6.x"]);
    static BUILTIN: Scheduler =
        Scheduler::new("inside").binary(SchedulerSpec::KernelBuiltin { enable: &[], disable: &[] });
    static TESTS: [TestEntry; 2] = [
        entry(TestSpec { manifest_dir: "/elsewhere", ..TestSpec::new("a", "c") }),
        entry(TestSpec {
            scheduler: &SAME,
            config: Some("k = 1"),
            manifest_dir: "/here",
            ..TestSpec::new("b", "c::inner")
        }),
    ];
    const DECLARED: Declared =
        Declared { tests: &TESTS, schedulers: &[&Scheduler::EEVDF, &BUILTIN, &OTHER, &SMALL, &BPF, &SAME] };

    const ONLY_FILTERED: Declared = Declared { tests: &TESTS, schedulers: &[&FILTERED] };

    fn names(declared: &Declared, variable: &str) -> String {
        let cells =
            list(declared, &kernels(variable)).into_iter().filter(|cell| cell.name.starts_with("verifier/"));
        cells.map(|cell| format!("{} {}\n", cell.name, cell.ignored)).collect()
    }

    fn refusal(declared: &Declared, name: &str) -> String {
        assert!(is_cell_name(name));
        run_named(name, declared, &kernels("7.3.4=/new:6.18.5=/old"), &settings()).err().unwrap().to_string()
    }

    #[test]
    fn bpf_schedulers_have_cells_on_every_kernel_and_preset_that_they_accept() {
        assert_eq!(names(&DECLARED, ""), "", "without kernels there are none");
        insta::assert_snapshot!(names(&DECLARED, "7.3.4=/new:6.18.5=/old"));
    }

    #[test]
    fn a_scheduler_without_a_cell_is_told_with_the_reason() {
        static ELSEWHERE: Scheduler = OTHER.kernels(&["/nowhere/bzImage", "/nowhere/vmlinuz"]);
        static ODD: Scheduler = Scheduler::new("odd")
            .binary(SchedulerSpec::Discover("scx_odd"))
            .constraints(TopologyConstraints { min_cpus: 5, ..TINY });
        const DECLARED: Declared =
            Declared { tests: &TESTS, schedulers: &[&Scheduler::EEVDF, &BUILTIN, &ELSEWHERE, &SMALL, &ODD] };
        let told = no_cells(&DECLARED, &kernels("7.3.4=/new:6.18.5=/old"));
        let told = told.iter().map(|NoCells { scheduler, why }| format!("{scheduler}: {why}"));
        insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r"
        a-b: its `kernels` (/nowhere/bzImage, /nowhere/vmlinuz) accept none of 7.3.4, 6.18.5
        odd: its constraints accept no preset
        ");
    }

    #[test]
    fn names_are_exact() {
        let names = [
            "verifier/a-b",
            "verifier/x/7.3.4/tiny-1llc",
            "verifier/inside/7.3.4/tiny-1llc",
            "verifier/a-b/7.3/tiny-1llc",
            "verifier/a-b/7.3.4/smt-2llc",
            "verifier/a-b/7.3.4/huge",
        ];
        let mut refusals = names.map(|name| refusal(&DECLARED, name)).join("\n");
        // A filter that cannot be understood does not leave kernels out in silence.
        refusals += &format!("\n{}", refusal(&ONLY_FILTERED, "verifier/old/7.3.4/tiny-1llc"));
        refusals += &format!(
            "\n{}",
            refusal(&Declared { tests: &TESTS, schedulers: &[] }, "verifier/old/7.3.4/tiny-1llc")
        );
        insta::assert_snapshot!(refusals);
    }

    #[test]
    fn a_configuration_comes_from_the_first_test_that_has_one() {
        let (spec, configured_by) = spec_for(&DECLARED, &BPF);
        assert_eq!((spec.config, configured_by.as_deref()), (Some("k = 1"), Some("inner::b")));
        assert_eq!(
            (spec.manifest_dir, spec.path().as_str(), spec.read_bpf),
            ("/here", TestSpec::LOAD_ONLY, true)
        );
        let (spec, configured_by) = spec_for(&DECLARED, &OTHER);
        assert_eq!((spec.config, configured_by, spec.manifest_dir), (None, None, "/elsewhere"));
    }
}
