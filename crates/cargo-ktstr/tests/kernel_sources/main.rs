//! `cargo ktstr kernel build` and `fetch` from a shell: with a source tree that "builds" in no time, and with mirrors that
//! are servers in the test.
#![allow(clippy::unwrap_used)]

mod debian;
mod host;
mod interrupt;
mod kept_builds;
mod mirror;
mod mounts;
mod on_demand;
mod release;
mod slow;
#[path = "../support/mod.rs"]
mod support;

use std::{collections::BTreeMap, fs, path::Path};

use host::{Host, MAKEFILE, btf, write_tree};
use ktstr_kernel::{
    Cache, Entry, Environment, Error, KernelSpec, Origin, Silent, SourceRecord, resolve, resolve_or_get,
};

/// Every file below `dir`, with its content.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.insert(entry.path().display().to_string(), fs::read(entry.path()).unwrap());
        }
    }
    found
}

#[test]
fn builds_a_tree_without_touching_it() {
    let host = Host::with_tree();
    let before = files(&host.path("linux"));
    let (said, _) = host.succeeds("build --source linux");
    assert!(said.starts_with("7.3.4-ktstr-") && said.contains(" built: [DIR]/cache/kernels/"), "{said}");
    assert_eq!(files(&host.path("linux")), before);

    let entry = &host.entries()[0];
    assert!(entry.metadata().sched_ext && !entry.is_stale());
    assert_eq!(fs::read(entry.btf().unwrap()).unwrap(), btf("task_struct"));
    assert!(entry.vmlinux().is_some());
    let (listed, _) = host.succeeds("list");
    assert!(listed.contains("built") && listed.contains("yes"), "{listed}");

    let (said, _) = host.succeeds("build --source linux");
    assert!(said.contains("is cached already"), "{said}");
    let (said, _) = host.succeeds("build --source linux --force");
    assert!(said.contains(" built: "), "{said}");
    host.edit("kernel/sched/core.c", "int y;\n");
    let (said, _) = host.succeeds("build --source linux");
    assert!(said.contains(" built: "), "{said}");
    assert_eq!(host.entries().len(), 2);

    // By content: the same sources elsewhere are the same kernel, however old their files are.
    write_tree(&host.path("copy"));
    fs::write(host.path("copy/kernel/sched/core.c"), "int y;\n").unwrap();
    let (said, _) = host.succeeds("build --source copy");
    assert!(said.contains("is cached already"), "{said}");
}

#[test]
fn what_was_built_is_found_by_its_tree_until_that_changes() {
    let host = Host::with_tree();
    let cache = Cache::at(host.path("cache"));
    let spec = KernelSpec::Path(host.path("linux"));
    let env = Environment::of_process();
    assert!(matches!(resolve(&spec, &env, &cache), Err(Error::Unbuilt { .. })));
    let error = resolve_or_get(&spec, true, &env, &cache, &Silent).unwrap_err().to_string();
    assert!(error.contains("--offline forbids getting it") && error.contains("is not built yet"), "{error}");
    host.succeeds("build --source linux");
    let kernel = resolve_or_get(&spec, true, &env, &cache, &Silent).unwrap();
    assert_eq!((kernel.release.as_str(), kernel.sched_ext), ("7.3.4-ktstr", Some(true)));
    assert_eq!(
        kernel.btf().unwrap().functions().map(|function| function.name).collect::<Vec<_>>(),
        ["scx_bpf_do"]
    );
    host.edit("kernel/sched/core.c", "int other;\n");
    assert!(matches!(resolve(&spec, &env, &cache), Err(Error::Unbuilt { .. })));

    // Neither can be made again from its name.
    for absent in ["7.3.4-ktstr-0123456789", "7.9.9"] {
        let error =
            resolve_or_get(&absent.parse().unwrap(), true, &env, &cache, &Silent).unwrap_err().to_string();
        assert!(error.contains(absent) && error.contains("--offline"), "{error}");
    }
    let key = "7.3.4-ktstr-0123456789".parse().unwrap();
    assert!(matches!(resolve_or_get(&key, false, &env, &cache, &Silent), Err(Error::NotCached { .. })));
}

#[test]
fn each_part_of_the_recipe_makes_another_kernel() {
    let host = Host::with_tree();
    host.succeeds("build --source linux");
    fs::write(host.path("more.config"), "CONFIG_KASAN=y\n").unwrap();
    host.succeeds("build --source linux --extra-config more.config --jobs 1");
    let has_kasan = |entry: &Entry| fs::read_to_string(entry.config()).unwrap().contains("CONFIG_KASAN=y");
    assert_eq!(host.entries().iter().filter(|entry| has_kasan(entry)).count(), 1);
    host.script("pahole", "echo v1.31");
    host.succeeds("build --source linux");
    assert_eq!(host.entries().len(), 3);
}

#[test]
fn a_dropped_symbol_stops_the_build_with_its_reason() {
    let host = Host::with_tree();
    host.edit("dropped", "CONFIG_SCHED_CLASS_EXT=y\nCONFIG_PSI=y\n");
    let error = host.fails("build --source linux");
    assert!(
        error.contains(
            "CONFIG_SCHED_CLASS_EXT is n instead of y: it depends on `BPF_JIT && PAHOLE_VERSION >= 122`, which does not hold"
        ),
        "{error}"
    );
    assert!(host.entries().is_empty());

    host.edit("dropped", "CONFIG_PSI=y\nCONFIG_TASKSTATS=y\n");
    host.edit("Kconfig", "config PSI\n\tbool\n\tdepends on SUN\n");
    let (_, notes) = host.succeeds("build --source linux");
    assert!(notes.contains("note: CONFIG_PSI is n instead of y: it depends on `SUN`"), "{notes}");
    assert!(!notes.contains("TASKSTATS"), "this tree has no such symbol: {notes}");
}

#[test]
fn a_failing_build_shows_why_and_leaves_nothing() {
    let host = Host::with_tree();
    host.edit("before-build", "echo 'core.c:7:1: error: unknown type name'\nexit 1\n");
    let error = host.fails("build --source linux");
    assert!(error.contains("core.c:7:1: error: unknown type name"), "{error}");
    let log = error
        .rsplit("the whole output is in ")
        .next()
        .unwrap()
        .replace("[DIR]", &host.dir.path().display().to_string());
    assert!(fs::read_to_string(log).unwrap().contains("CC      kernel/sched/core.o"));
    assert!(host.entries().is_empty());

    host.edit("before-build", "echo 'ld: final link failed: No space left on device'\nexit 1\n");
    let error = host.fails("build --source linux");
    assert!(error.contains("No space left on device"), "{error}");
}

#[test]
fn refuses_what_it_cannot_build() {
    let host = Host::with_tree();
    fs::create_dir(host.path("empty")).unwrap();
    fs::write(host.path("bad.config"), "SMP=y\n").unwrap();
    for (args, why) in [
        ("build --source empty", "[DIR]/empty is neither a Linux source tree"),
        ("build --source absent", "cannot read [DIR]/absent: No such file or directory"),
        ("build --source linux --extra-config absent", "cannot read [DIR]/absent"),
        (
            "build --source linux --extra-config bad.config",
            "[DIR]/bad.config is not a kernel configuration: line 1 is `SMP=y`",
        ),
        ("build --source linux --jobs 0", "0 is not in 1.."),
        ("build --source linux 7.3", "cannot be used with"),
        ("build --git https://example.org/linux", "--ref <REF>"),
        ("build ./linux", "names no release"),
        ("build banana", "does not name a kernel"),
        ("build 7.1..7.0", "the range `7.1..7.0` is empty: 7.1 is newer than 7.0"),
        ("build 6.11.4", "Linux 6.11.4 is too old: sched_ext came with 6.12"),
        ("build 6.11", "is too old: sched_ext came with 6.12"),
    ] {
        let error = host.fails(args);
        assert!(error.contains(why), "{args}: {error}");
    }
    host.edit("Makefile", MAKEFILE.replace("VERSION = 7\nPATCHLEVEL = 3", "VERSION = 6\nPATCHLEVEL = 11"));
    let error = host.fails("build --source linux");
    assert!(error.contains("Linux 6.11.4 is too old: sched_ext came with 6.12"), "{error}");
    assert!(!host.path("cache/kernels").exists(), "a refused command leaves nothing");

    let host = Host::with_tree();
    fs::write(host.path("cache"), "a file where the folder should be").unwrap();
    let error = host.fails("build --source linux");
    assert!(error.contains("[DIR]/cache/") && error.contains("KTSTR_CACHE_DIR can name another"), "{error}");
}

#[test]
fn names_every_missing_tool_before_anything_else() {
    let host = Host::with_tree();
    for program in ["flex", "bison", "bc", "pahole"] {
        fs::remove_file(host.path("bin").join(program)).unwrap();
    }
    host.script("gcc", "cat > /dev/null; exit 1");
    for args in ["build --source linux", "build 7.3.4", "build --git x --ref y"] {
        let error = host.fails(args);
        assert!(
            error.contains("needs flex, bison, bc, pahole, libelf (gelf.h), not found"),
            "{args}: {error}"
        );
        assert!(
            error.contains("apt-get install -y --no-install-recommends flex bison bc dwarves libelf-dev"),
            "{error}"
        );
    }
}

#[test]
fn a_kernel_that_schedulers_cannot_be_loaded_on_is_not_kept() {
    let host = Host::with_tree();
    host.edit("btf", btf("bpf_prog_aux"));
    let error = host.fails("build --source linux");
    assert!(
        error.contains("`struct bpf_prog_aux *` in scx_bpf_do") && error.contains("pahole (pretended)"),
        "{error}"
    );
    assert!(host.entries().is_empty());
}

#[test]
fn a_tree_that_was_built_in_place_is_copied_first() {
    let host = Host::with_tree();
    host.edit(".config", "CONFIG_SMP=y\n");
    host.edit("kernel/sched/core.o", "object");
    // As kbuild does.
    host.edit(
        "before-build",
        "if test -e .config; then echo 'error: the source tree is not clean'; exit 1; fi\n",
    );
    let before = files(&host.path("linux"));
    let (said, notes) = host.succeeds("build --source linux");
    assert!(said.contains(" built: ") && notes.contains("Copying [DIR]/linux"), "{said}\n{notes}");
    assert_eq!(files(&host.path("linux")), before);
    host.edit("kernel/sched/core.o", "another object");
    let (said, _) = host.succeeds("build --source linux");
    assert!(said.contains("is cached already"), "objects are no sources: {said}");
}

#[test]
fn uncommitted_changes_are_built_and_marked() {
    let host = Host::with_tree();
    for args in ["init -q", "add -A", "commit -q -m x"] {
        host.git(args);
    }
    let commit = host.git("rev-parse HEAD");
    // As inside a git hook: whatever it names must not be taken for the tree's.
    let mut in_a_hook = host.command("build --source linux");
    let (said, notes) = host.run(in_a_hook.env("GIT_DIR", host.path("elsewhere")), true);
    assert!(!said.contains("changed") && !notes.contains("uncommitted"), "{said}\n{notes}");
    let index = fs::read(host.path("linux/.git/index")).unwrap();
    let identity = |nth: usize| match &host.entries()[nth].metadata().origin {
        Origin::Built(recipe) => match &recipe.source {
            SourceRecord::Tree { identity, .. } => identity.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(identity(0), commit);

    let mut keys = vec![said];
    for (file, text) in [
        ("kernel/sched/core.c", "int y;\n"),
        ("kernel/sched/core.c", "int z;\n"),
        ("kernel/sched/new.c", "1"),
        ("kernel/sched/new.c", "2"),
    ] {
        host.edit(file, text);
        let (said, notes) = host.succeeds("build --source linux");
        assert!(
            said.starts_with("7.3.4-ktstr-changed-") && notes.contains("uncommitted changes"),
            "{said}\n{notes}"
        );
        assert!(!keys.contains(&said), "{said}");
        keys.push(said);
    }
    assert_eq!(fs::read(host.path("linux/.git/index")).unwrap(), index, "the tree's git was written to");
}

#[test]
fn a_tree_that_changes_during_the_build_is_not_kept() {
    let host = Host::with_tree();
    host.edit("before-build", "echo 'int z;' > kernel/sched/core.c\n");
    let error = host.fails("build --source linux");
    assert!(error.contains("[DIR]/linux changed while it was built"), "{error}");
    assert!(host.entries().is_empty());
}

#[test]
fn an_older_configuration_shows_in_the_list() {
    let host = Host::with_tree();
    host.succeeds("build --source linux");
    let metadata = host.entries()[0].dir().join("metadata.json");
    let mut json: serde_json::Value = serde_json::from_slice(&fs::read(&metadata).unwrap()).unwrap();
    assert_eq!(json["schema"], 2);
    json["origin"]["fragment_sha256"] = "0".repeat(64).into();
    fs::write(&metadata, json.to_string()).unwrap();
    let (listed, _) = host.succeeds("list");
    assert!(listed.contains("built (stale config)"), "{listed}");
}
