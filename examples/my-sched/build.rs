//! Compiles the BPF scheduler and generates its Rust skeleton.

use std::path::PathBuf;
use std::process::exit;

use libbpf_cargo::SkeletonBuilder;

#[path = "build/clang.rs"]
mod clang;

fn main() {
    println!("cargo::rerun-if-changed=src/bpf");
    let clang = clang::find().unwrap_or_else(|problem| fail(&problem));
    let skeleton =
        PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("my_sched.skel.rs");
    SkeletonBuilder::new()
        .source("src/bpf/my_sched.bpf.c")
        .clang(clang)
        // The object records its sources' names; without this machine's folders it builds the same anywhere.
        .clang_args(["-mcpu=v3", "-Wall", "-Werror", "-fdebug-compilation-dir=."])
        .build_and_generate(skeleton)
        .unwrap_or_else(|error| fail(&format!("{error:#}")));
}

fn fail(problem: &str) -> ! {
    eprintln!("error: cannot build the BPF scheduler: {problem}");
    exit(1);
}
