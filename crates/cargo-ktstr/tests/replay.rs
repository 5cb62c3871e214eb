//! `cargo ktstr replay`: what it refuses before it builds anything.
#![allow(clippy::unwrap_used)]

#[path = "../src/replay/testing.rs"]
mod testing;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use ktstr_results::Record;
use ktstr_results::replay::ReplayToken;

/// The error of `cargo ktstr replay`, with `..` for the folder of records.
fn refuses(records: &Path, args: &[&str]) -> String {
    let mut command = Command::cargo_bin("cargo-ktstr").unwrap();
    command.arg("replay").args(args).env("KTSTR_SIDECAR_DIR", records).env("KTSTR_CACHE_DIR", records);
    command.env_remove("KTSTR_TEST_KERNEL").env_remove("KTSTR_KERNEL");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    assert!(output.stdout.is_empty(), "{args:?}");
    String::from_utf8(output.stderr).unwrap().replace(&records.display().to_string(), "..")
}

fn write(folder: &Path, package: &str) -> ReplayToken {
    let mut record = testing::record();
    record.program.package = package.into();
    let token = ReplayToken::of(&Record { test: "t".into(), ..record }).unwrap();
    token.write(folder).unwrap();
    token
}

#[test]
fn tokens_that_name_nothing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let id = testing::token().write(folder.path()).map(|_| testing::token().id.to_string()).unwrap();
    let errors = [&id[..7], "zzzzzzzzzzzz", "not-a-token", "./absent.replay"]
        .map(|token| refuses(folder.path(), &[token]));
    insta::assert_snapshot!(errors.concat().replace(&id, "TOKEN").replace(&id[..7], "TOK"), @"
    error: the token `TOK` is cut: it has 7 of 12 letters; those in .. that begin so: TOKEN
    error: no token zzzzzzzzzzzz in ..: the one it has is of another failure; a token from elsewhere is a file: give its path
    error: `not-a-token` is no token: a token has 12 letters out of 0-9 and a-z without i, l, o and u
    error: ./absent.replay: No such file or directory (os error 2)
    ");
}

#[test]
fn files_that_are_no_token_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let token = write(folder.path(), "my-sched");
    let path = folder.path().join(format!("{}.replay", token.id));
    let text = fs::read_to_string(&path).unwrap();
    let refuse = |content: &str| {
        let file = folder.path().join("mailed.replay");
        fs::write(&file, content).unwrap();
        refuses(folder.path(), &[file.to_str().unwrap()])
    };
    assert!(refuse("hello").starts_with("error: ../mailed.replay is no replay token ("));
    let edited = refuse(&text.replace("\"seed\": 7", "\"seed\": 8"));
    assert!(edited.contains("was changed after it was written"), "{edited}");
    let newer = refuse(&text.replace("\"1.0\"", "\"2.0\""));
    assert!(newer.contains("it was written by a newer ktstr"), "{newer}");
}

#[test]
fn what_the_token_needs_and_is_not_here_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = write(folder.path(), "no-such-package").id.to_string();
    let error = refuses(folder.path(), &[&elsewhere]);
    assert!(error.contains("in package `no-such-package`, which this workspace does not have"), "{error}");
    let here = write(folder.path(), "cargo-ktstr").id.to_string();
    let error = refuses(folder.path(), &[&here, "--offline"]);
    assert!(error.starts_with("error: the token's kernel 7.3.4-nowhere (SHA-256 abab"), "{error}");
    assert!(error.contains("`--kernel SPEC` runs on another one"), "{error}");
}
