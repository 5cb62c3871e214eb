//! Compiles the boot agent: a static program of its own, the same bytes wherever it is built.

use std::env;
use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=agent");
    println!("cargo::rerun-if-changed=../wire/src/layout.rs");
    println!("cargo::rerun-if-changed=../wire/src/session.rs");
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("agent");
    let target = env::var("TARGET").expect("cargo sets it");
    // Templates are keyed by the agent's hash, so nothing of this machine may get into it: no inherited flags, no
    // profile, no paths, no build id.
    let status = Command::new(env::var_os("RUSTC").expect("cargo sets it"))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .current_dir(&folder)
        .args(["--edition=2024", "--crate-name=ktstr_agent", "--crate-type=bin", "--target", &target])
        .args([
            "-Copt-level=s",
            "-Ccodegen-units=1",
            "-Cpanic=abort",
            "-Cstrip=symbols",
            "-Ctarget-cpu=x86-64",
        ])
        .args(["-Ctarget-feature=+crt-static", "-Crelocation-model=static", "-Clink-arg=-Wl,--build-id=none"])
        .arg(format!("--remap-path-prefix={}=agent", folder.display()))
        .arg("-o")
        .arg(&out)
        .arg("agent/main.rs")
        .status()
        .expect("rustc runs");
    assert!(
        status.success(),
        "the boot agent could not be compiled; a static C library is needed (Debian: libc6-dev)"
    );
    println!("cargo::rustc-env=KTSTR_AGENT={}", out.display());
}
