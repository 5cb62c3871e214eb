//! Compiles what QEMU loads for deterministic machines: a library of its own, the same bytes wherever it is built.

use std::env;
use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=lockstep");
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("lockstep.so");
    let target = env::var("TARGET").expect("cargo sets it");
    // Templates are keyed by its hash, so nothing of this machine may get into it.
    let status = Command::new(env::var_os("RUSTC").expect("cargo sets it"))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .current_dir(&folder)
        .args(["--edition=2024", "--crate-name=ktstr_lockstep", "--crate-type=cdylib", "--target", &target])
        .args([
            "-Copt-level=2",
            "-Ccodegen-units=1",
            "-Cpanic=abort",
            "-Cstrip=symbols",
            "-Ctarget-cpu=x86-64",
        ])
        .args(["-Clink-arg=-Wl,--build-id=none"])
        .arg(format!("--remap-path-prefix={}=lockstep", folder.display()))
        .arg("-o")
        .arg(&out)
        .arg("lockstep/lib.rs")
        .status()
        .expect("rustc runs");
    assert!(status.success(), "the library that keeps QEMU in lockstep could not be compiled");
    println!("cargo::rustc-env=KTSTR_LOCKSTEP={}", out.display());
}
