//! Completions and manual pages.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::process::Output;

use assert_cmd::Command;

fn run(args: &[&str]) -> Output {
    Command::cargo_bin("cargo-ktstr").unwrap().args(args).output().unwrap()
}

#[test]
fn each_shell_gets_every_subcommand() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        assert!(output.status.success(), "{shell}");
        let script = String::from_utf8(output.stdout).unwrap();
        for word in ["test", "shell", "replay", "explore", "verifier", "stats", "doctor", "keep-bytes"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let output = run(&["completions", "tcsh"]);
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("[possible values: bash, zsh, fish]"));
}

#[test]
fn bash_completes_with_it() {
    let script = String::from_utf8(run(&["completions", "bash"]).stdout).unwrap();
    let ask = "COMP_WORDS=(cargo-ktstr ca); COMP_CWORD=1; _cargo__ktstr cargo-ktstr ca cargo-ktstr; echo \"${COMPREPLY[@]}\"";
    let output = Command::new("bash").arg("-c").arg(format!("{script}\n{ask}")).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "cache\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn manual_pages_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let output = run(&["man", pages.to_str().unwrap()]);
    assert!(output.status.success());
    let page = fs::read_to_string(pages.join("cargo-ktstr-cache-clean.1")).unwrap();
    assert!(page.contains("keep\\-bytes"), "{page}");
    assert!(fs::read_to_string(pages.join("cargo-ktstr.1")).unwrap().contains("doctor"));
    fs::write(folder.path().join("file"), "").unwrap();
    let output = run(&["man", folder.path().join("file").to_str().unwrap()]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: cannot create"));
}
