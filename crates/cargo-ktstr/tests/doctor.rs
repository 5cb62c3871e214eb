//! `cargo ktstr doctor` on hosts that a test makes of scripts in `PATH`.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Output;

use assert_cmd::Command;
use ktstr_kernel::{Cache, Origin};
use serde_json::Value;
use support::bz_image;

struct Host {
    dir: tempfile::TempDir,
}

impl Host {
    /// A host with a shell and nothing else.
    fn bare() -> Self {
        let host = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(host.bin()).unwrap();
        host
    }

    /// All that tests need, save a kernel.
    fn complete() -> Self {
        let host = Self::bare();
        host.program("qemu-system-x86_64", "echo 'QEMU emulator version 10.0.2 (Debian)'");
        host.program("clang-19", "echo 'Debian clang version 19.1.7'");
        host.program("make", "");
        host.program("pkg-config", "exit 0");
        host.program("cc", "echo /usr/lib/libc.a");
        host.program("busybox", "");
        host.program("cargo", "test \"$1\" = nextest");
        host
    }

    fn bin(&self) -> PathBuf {
        self.dir.path().join("bin")
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.bin().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn kernel(&self) -> PathBuf {
        let path = self.dir.path().join("bzImage");
        fs::write(&path, bz_image("6.18.1")).unwrap();
        path
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::cargo_bin("cargo-ktstr").unwrap();
        command
            .env_clear()
            .env("PATH", self.bin())
            .env("KTSTR_CACHE_DIR", self.dir.path().join("cache"))
            .args(args.split_whitespace())
            .current_dir(self.dir.path());
        command
    }

    fn with_kernel(&self, args: &str) -> Command {
        let mut command = self.command(args);
        command.env("KTSTR_TEST_KERNEL", self.kernel());
        command
    }

    fn text(&self, output: &[u8]) -> String {
        String::from_utf8_lossy(output).replace(&self.dir.path().display().to_string(), "[DIR]")
    }
}

/// What the doctor says of one subject, from `--json`.
fn finding(output: &Output, subject: &str) -> Value {
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    all.into_iter().find(|one| one["subject"] == subject).unwrap()
}

#[test]
fn a_host_with_everything_is_well() {
    let host = Host::complete();
    let output = host.with_kernel("doctor --json").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", host.text(&output.stdout));
    for subject in ["QEMU", "kernel", "cache", "nextest", "clang", "libbpf", "C", "memory"] {
        assert_eq!(finding(&output, subject)["state"], "ok", "{subject}");
    }
    assert!(finding(&output, "kernel")["found"].as_str().unwrap().contains("6.18.1"));
    assert_ne!(finding(&output, "KVM")["state"], "missing");
}

#[test]
fn a_bare_host_hears_what_it_lacks_and_how_to_get_it() {
    let host = Host::bare();
    let output = host.with_kernel("doctor").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = host.text(&output.stdout);
    let problems: Vec<_> = text.split('\n').skip_while(|line| !line.contains("nextest")).take(8).collect();
    insta::assert_snapshot!(problems.join("\n"), @r"
    MISSING  nextest       no cargo, whose `cargo nextest` runs the tests
                           fix: install Rust (https://www.rust-lang.org/tools/install) and ask again
    MISSING  clang         not found in PATH
                           fix: install clang 18 or newer, for BPF programs (Debian: clang-19 or clang-20 or clang-21 or clang-18)
    MISSING  libbpf        no make in PATH
                           fix: install make, pkg-config and the development files of libelf and zlib, for libbpf (Debian: make libelf-dev zlib1g-dev pkg-config)
    MISSING  C             no cc in PATH
                           fix: install a C compiler and a static C library, for the guest's agent (Debian: gcc libc6-dev)
    ");
    assert!(text.starts_with("MISSING  QEMU"), "{text}");
    assert!(text.ends_with("`cargo ktstr doctor --fix` installs it.\n"), "{text}");
}

#[test]
fn versions_have_their_faults() {
    let host = Host::complete();
    let qemu = |version: &str| {
        host.program("qemu-system-x86_64", &format!("echo 'QEMU emulator version {version}'"));
        let output = host.with_kernel("doctor --json").output().unwrap();
        let finding = finding(&output, "QEMU");
        (
            output.status.code(),
            finding["state"].as_str().unwrap().to_owned(),
            host.text(finding.to_string().as_bytes()),
        )
    };
    let (code, state, text) = qemu("7.2.19");
    assert_eq!((code, &*state), (Some(1), "missing"), "{text}");
    assert!(text.contains("real-time mode only") && text.contains("backports"), "{text}");
    let (code, state, text) = qemu("8.2.2");
    assert_eq!((code, &*state), (Some(0), "ok"), "{text}");
    let (code, state, text) = qemu("99.0.0");
    assert_eq!((code, &*state), (Some(0), "note"), "{text}");
    let (code, _, text) = qemu("nonsense");
    assert_eq!(code, Some(1), "{text}");
}

#[test]
fn without_a_kernel_or_a_cache_the_rest_is_still_said() {
    let host = Host::complete();
    let output = host.command("doctor --json").env("KTSTR_KERNEL", "1.2.3").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let kernel = finding(&output, "kernel");
    assert_eq!(kernel["state"], "missing");
    assert!(kernel["fix"].as_str().unwrap().ends_with("kernel fetch"), "{kernel}");
    let output = host.with_kernel("doctor --json").env_remove("KTSTR_CACHE_DIR").output().unwrap();
    assert_eq!(finding(&output, "cache")["state"], "missing");
    assert_eq!(finding(&output, "nextest")["state"], "ok");
    fs::write(host.dir.path().join("file"), "").unwrap();
    let file = host.dir.path().join("file");
    let output = host.with_kernel("doctor --json").env("KTSTR_CACHE_DIR", file).output().unwrap();
    assert!(finding(&output, "cache")["found"].as_str().unwrap().contains("cannot be written"));
}

#[test]
fn a_kernel_without_sched_ext_is_not_enough() {
    let host = Host::complete();
    let cache = Cache::at(host.dir.path().join("cache"));
    let add = |release: &str, config: &str| {
        let lock = cache.lock(release, || ()).unwrap();
        let staged = cache.stage(&lock).unwrap();
        fs::write(staged.image(), bz_image(release)).unwrap();
        fs::write(staged.config(), config).unwrap();
        staged.commit(Origin::Debian { packages: Vec::new() }).unwrap();
    };
    let doctor = || {
        let output = host.command("doctor --json").output().unwrap();
        (output.status.success(), finding(&output, "kernel")["found"].as_str().unwrap().to_owned())
    };
    add("6.12.1", "CONFIG_SMP=y");
    let (is_well, found) = doctor();
    assert!(!is_well && found.ends_with("so BPF schedulers cannot run on it"), "{found}");
    add("6.18.1", "CONFIG_SCHED_CLASS_EXT=y");
    let (is_well, found) = doctor();
    assert!(is_well && found.contains("6.18.1") && found.ends_with("2 cached; has sched_ext"), "{found}");
}

/// An apt that knows clang, and installs it when it is told to.
fn with_apt(host: &Host) {
    let log = host.dir.path().join("apt.log");
    let clang = host.bin().join("clang-19");
    host.program(
        "apt-get",
        &format!(
            "echo \"$@\" >> {}\n[ \"$1\" = install ] || exit 0\n\
             printf '#!/bin/sh\\necho clang version 19.1.7\\n' > {clang}\n/bin/chmod +x {clang}",
            log.display(),
            clang = clang.display()
        ),
    );
    host.program(
        "apt-cache",
        "echo 'clang-19 | 1:19.1.7-3 | http://mirror.example/debian trixie/main amd64 Packages'",
    );
    host.program("env", "shift; \"$@\"");
    host.program("sudo", "\"$@\"");
}

#[test]
fn fix_shows_asks_and_installs() {
    let host = Host::complete();
    fs::remove_file(host.bin().join("clang-19")).unwrap();
    with_apt(&host);
    // Nobody agreed.
    let output = host.with_kernel("doctor --fix").output().unwrap();
    let errors = host.text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.contains("apt-get install -y --no-install-recommends clang-19"), "{errors}");
    assert!(errors.ends_with("give --yes, or run them yourself\n"), "{errors}");
    assert!(!host.bin().join("clang-19").exists());

    let output = host.with_kernel("doctor --fix --yes").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}{}", host.text(&output.stdout), host.text(&output.stderr));
    let log = fs::read_to_string(host.dir.path().join("apt.log")).unwrap();
    let runs: Vec<_> = log.lines().filter(|line| !line.starts_with("indextargets")).collect();
    assert_eq!(runs, ["update", "install -y --no-install-recommends clang-19"]);
    // Looked at again.
    assert!(host.text(&output.stdout).matches("clang").count() >= 2);
}

#[test]
fn without_apt_fix_says_what_to_install() {
    let host = Host::complete();
    fs::remove_file(host.bin().join("clang-19")).unwrap();
    let output = host.with_kernel("doctor --fix --yes").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = host.text(&output.stdout);
    assert!(
        text.contains("no apt-get here. Install these with your package manager:\n  clang 18 or newer"),
        "{text}"
    );
}

#[test]
fn nextest_is_installed_by_cargo() {
    let host = Host::complete();
    let (log, marker) = (host.dir.path().join("cargo.log"), host.dir.path().join("there"));
    host.program(
        "cargo",
        &format!(
            "[ \"$1\" = nextest ] && {{ [ -e {marker} ]; exit; }}\necho \"$@\" > {log}\n: > {marker}",
            marker = marker.display(),
            log = log.display()
        ),
    );
    let output = host.with_kernel("doctor --fix").env("CI", "true").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}{}", host.text(&output.stdout), host.text(&output.stderr));
    assert!(fs::read_to_string(log).unwrap().starts_with("install --locked"));
}

#[test]
fn a_command_that_lacks_a_tool_names_the_doctor() {
    let host = Host::complete();
    fs::remove_file(host.bin().join("qemu-system-x86_64")).unwrap();
    let output = host.with_kernel("test").output().unwrap();
    let errors = host.text(&output.stderr);
    assert!(
        errors.starts_with("error: no QEMU") && errors.ends_with("\nrun `cargo ktstr doctor`\n"),
        "{errors}"
    );
    let output = host.command("kernel build 6.18").output().unwrap();
    let errors = host.text(&output.stderr);
    assert!(
        errors.contains("building a kernel needs") && errors.ends_with("\nrun `cargo ktstr doctor`\n"),
        "{errors}"
    );
    // A mistake of the user's is not the host's.
    let output = host.with_kernel("test --release -- --release").output().unwrap();
    assert!(!host.text(&output.stderr).contains("doctor"));
}

#[test]
fn a_cargo_without_nextest_gets_it() {
    let host = Host::complete();
    host.program("cargo", "[ \"$1\" = --version ]");
    let nextest = finding(&host.with_kernel("doctor --json").output().unwrap(), "nextest");
    assert_eq!(nextest["state"], "missing");
    assert!(nextest["fix"].as_str().unwrap().starts_with("cargo install --locked"), "{nextest}");
}
