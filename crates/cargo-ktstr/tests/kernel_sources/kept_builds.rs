//! What builds keep beside their kernels, and the compiler's cache.

use std::{fs, path::PathBuf};

use ktstr_kernel::Cache;

use crate::host::{Host, MAKEFILE};

/// The folders in which something was built.
fn builds(host: &Host) -> Vec<PathBuf> {
    let all = fs::read_dir(host.path("cache/build")).unwrap().flatten().map(|entry| entry.path());
    all.filter(|path| path.is_dir()).collect()
}

#[test]
fn objects_are_kept_until_they_are_cleaned_away() {
    let host = Host::with_tree();
    host.succeeds("build --source linux");
    let old = builds(&host)[0].join("objects/old.o");
    fs::write(&old, "object").unwrap();
    host.succeeds("build --source linux --force");
    assert!(old.exists(), "nothing had to be compiled again");
    host.succeeds("build --source linux --clean");
    assert!(!old.exists());

    // One kernel to keep is a build to keep.
    host.succeeds("clean --force --keep 1");
    assert_eq!(builds(&host).len(), 1);
    let (said, _) = host.succeeds("clean --force");
    assert!(said.contains("removed 7.3.4-ktstr-"), "{said}");
    assert_eq!(builds(&host), Vec::<PathBuf>::new());
}

#[test]
fn objects_of_files_that_make_takes_for_old_are_not_used() {
    let host = Host::with_tree();
    host.succeeds("build --source linux");
    let old = builds(&host)[0].join("objects/old.o");
    fs::write(&old, "object").unwrap();
    host.edit("kernel/sched/core.c", "int y;\n");
    host.succeeds("build --source linux");
    assert!(old.exists(), "make sees this change");
    // As unpacking an older release over a newer one does.
    host.edit("kernel/sched/core.c", "int older;\n");
    let file = fs::File::open(host.path("linux/kernel/sched/core.c")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let (_, notes) = host.succeeds("build --source linux");
    assert!(!old.exists() && notes.contains("everything is compiled again"), "{notes}");
}

#[test]
fn a_build_that_runs_keeps_its_objects() {
    let host = Host::with_tree();
    host.succeeds("build --source linux");
    let build = &builds(&host)[0];
    let name = build.file_name().unwrap().to_str().unwrap();
    let lock = fs::File::open(host.path("cache/build").join(format!(".{name}.lock"))).unwrap();
    lock.lock().unwrap();
    Cache::at(host.path("cache")).remove_builds().unwrap();
    assert!(build.join("objects").exists());
    drop(lock);
    Cache::at(host.path("cache")).remove_builds().unwrap();
    assert!(!build.exists());
}

#[test]
fn the_compilers_cache_is_used_when_it_is_there() {
    let host = Host::with_tree();
    host.edit(
        "Makefile",
        format!(
            "CC = gcc\n{}",
            MAKEFILE.replace("\t@sh before-build", "\t@$(CC) --version\n\t@sh before-build")
        ),
    );
    let log = host.path("ccache.log");
    host.script("ccache", &format!("echo \"$@\" >> {}", log.display()));
    host.succeeds("build --source linux");
    assert_eq!(fs::read_to_string(&log).unwrap(), "gcc --version\n");
    fs::remove_file(host.path("bin/ccache")).unwrap();
    host.succeeds("build --source linux --force");
    assert_eq!(fs::read_to_string(&log).unwrap(), "gcc --version\n");
}
