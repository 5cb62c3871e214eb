//! `cargo ktstr cache` on folders that a test makes.
#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use assert_cmd::Command;
use serde_json::Value;

struct Cache {
    dir: tempfile::TempDir,
}

impl Cache {
    /// Two templates, a loaded one, a build and a download of 1 MB each, used 1 to 5 hours ago in this order.
    fn filled() -> Self {
        let cache = Self { dir: tempfile::tempdir().unwrap() };
        cache.saved("templates/new", 1);
        cache.saved("templates/old", 2);
        cache.saved("loaded/payload", 3);
        cache.file("build/linux-1/log", 4);
        cache.file("downloads/7.3/linux.deb", 5);
        cache
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, hours: u64) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, vec![1; 1_000_000]).unwrap();
        self.age(name, hours);
    }

    fn age(&self, name: &str, hours: u64) {
        let file = File::options().append(true).open(self.path(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(hours * 3600 + 60)).unwrap();
    }

    fn saved(&self, name: &str, hours: u64) {
        self.file(&format!("{name}/state"), hours + 24);
        let record = format!("{name}/record.json");
        let text = r#"{"topology": "1n2l4c1t", "mode": "deterministic", "kernel_release": "7.3.4"}"#;
        fs::write(self.path(&record), text).unwrap();
        self.age(&record, hours);
    }

    fn run(&self, args: &str) -> (bool, String) {
        let mut command = Command::cargo_bin("cargo-ktstr").unwrap();
        command
            .env_clear()
            .env("KTSTR_CACHE_DIR", self.dir.path())
            .arg("cache")
            .args(args.split_whitespace());
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap().replace(&self.dir.path().display().to_string(), "[DIR]");
        (output.status.success(), text.lines().map(|line| format!("{}\n", line.trim_end())).collect())
    }
}

#[test]
fn lists_what_is_there() {
    let cache = Cache::filled();
    let (_, text) = cache.run("list");
    insta::assert_snapshot!(text, @r"
    [DIR]:
     KIND             NAME     WHAT                              SIZE  AGE       LAST USE
     template         new      1n2l4c1t deterministic 7.3.4    1.0 MB  1 day     1 hour
     template         old      1n2l4c1t deterministic 7.3.4    1.0 MB  1 day     2 hours
     loaded template  payload  1n2l4c1t deterministic 7.3.4    1.0 MB  1 day     3 hours
     build            linux-1  a kernel's objects and sources  1.0 MB  just now  4 hours
     download         7.3      an interrupted fetch            1.0 MB  just now  5 hours
    2 templates, 2.0 MB
    1 loaded template, 1.0 MB
    1 build, 1.0 MB
    1 download, 1.0 MB
    0 kernels, 0.0 MB (`cargo ktstr kernel list`)
    ");
    assert_eq!(cache.run("").1, text);
    let json: Value = serde_json::from_str(&cache.run("list --json").1).unwrap();
    assert_eq!(json[0]["kind"], "template");
    assert_eq!(json[2]["kind"], "loaded-template");
    assert_eq!(json[0]["in_use"], false);
    assert!(json[0]["used_at"].as_u64() > json[0]["made_at"].as_u64());
}

#[test]
fn cleans_what_was_used_longest_ago() {
    let cache = Cache::filled();
    let (good, text) = cache.run("clean --keep-bytes 2500K --force");
    assert!(good, "{text}");
    insta::assert_snapshot!(text, @r"
    removed download 7.3 (1.0 MB)
    removed build linux-1 (1.0 MB)
    removed loaded template payload (1.0 MB)
    ");
    assert!(cache.path("templates/old").exists() && !cache.path("loaded/payload").exists());
    let (_, text) = cache.run("clean --keep-bytes 2500K --force");
    assert_eq!(text, "nothing to remove in [DIR]\n");
    cache.run("clean --all --force");
    assert!(!cache.path("templates/new").exists());
}

#[test]
fn what_is_in_use_stays_and_is_said() {
    let cache = Cache::filled();
    let used = File::open(cache.path("templates/old/record.json")).unwrap();
    used.lock_shared().unwrap();
    let built = File::create(cache.path("build/.linux-1.lock")).unwrap();
    built.lock().unwrap();
    let json: Value = serde_json::from_str(&cache.run("list --json").1).unwrap();
    assert_eq!(json[1]["in_use"], true);
    let (good, text) = cache.run("clean --all --force");
    assert!(good);
    insta::assert_snapshot!(text, @r"
    removed download 7.3 (1.0 MB)
    removed loaded template payload (1.0 MB)
    removed template new (1.0 MB)
    kept template old (1.0 MB): it is in use by another process
    kept build linux-1 (1.0 MB): it is in use by another process
    ");
    assert!(cache.path("templates/old/state").exists() && cache.path("build/linux-1/log").exists());
    // It counts as kept.
    cache.saved("templates/other", 0);
    assert!(cache.run("clean --keep-bytes 2500K --force").1.contains("removed template other"));
}

#[test]
fn asks_and_refuses() {
    let cache = Cache::filled();
    let (good, text) = cache.run("clean --all");
    assert!(!good && text.starts_with("error: not removing without a terminal"), "{text}");
    let (good, text) = cache.run("clean --force");
    assert!(!good && text.contains("--keep-bytes <N>|--all"), "{text}");
    let (good, text) = cache.run("clean --keep-bytes 4T");
    assert!(!good && text.contains("such as 4G"), "{text}");
    assert!(cache.path("templates/new").exists());
}
