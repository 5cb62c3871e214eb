//! `cargo ktstr kernel` from a shell: what it prints and how it refuses. Nothing here needs the network, save the last
//! test, which is ignored.
#![allow(clippy::unwrap_used)]

mod support;

use std::{fs, path::PathBuf, process::Output};

use assert_cmd::Command;
use ktstr_kernel::{Cache, Entry, Origin};
use support::bz_image;

struct Host {
    dir: tempfile::TempDir,
}

impl Host {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    /// The command in an environment without apt, network and terminal.
    fn command(&self, args: &str) -> Command {
        let mut command = Command::cargo_bin("cargo-ktstr").unwrap();
        command.env_clear().env("KTSTR_CACHE_DIR", self.root()).env("PATH", "").args(args.split_whitespace());
        command
    }

    fn text(&self, output: &[u8]) -> String {
        let path = self.dir.path().display().to_string();
        String::from_utf8_lossy(output)
            .replace(&path, "[DIR]")
            .lines()
            .map(str::trim_end)
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn succeeds(&self, args: &str) -> String {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "{args}: {}", self.text(&output.stderr));
        self.text(&output.stdout)
    }

    fn fails(&self, args: &str) -> String {
        let output: Output = self.command(args).output().unwrap();
        assert!(!output.status.success(), "{args}: {}", self.text(&output.stdout));
        self.text(&output.stderr)
    }

    fn add(&self, release: &str, sched_ext: bool) -> Entry {
        let cache = Cache::at(self.root());
        let lock = cache.lock(release, || ()).unwrap();
        let staged = cache.stage(&lock).unwrap();
        fs::write(staged.image(), bz_image(release)).unwrap();
        let value = if sched_ext { "CONFIG_SCHED_CLASS_EXT=y" } else { "CONFIG_SMP=y" };
        fs::write(staged.config(), value).unwrap();
        staged.commit(Origin::Debian { packages: Vec::new() }).unwrap()
    }

    fn metadata(&self, key: &str) -> PathBuf {
        self.root().join("kernels").join(key).join("metadata.json")
    }
}

#[test]
fn lists_good_and_corrupt_entries() {
    let host = Host::new();
    insta::assert_snapshot!(host.succeeds("kernel list"), @"no kernels in [DIR]/cache; `cargo ktstr kernel fetch` gets one");
    assert_eq!(host.succeeds("kernel list --json"), "[]");
    for release in ["6.18.15+deb13", "7.3.4+deb13", "7.0.1", "7.0.2"] {
        host.add(release, true);
    }
    host.add("6.12.95+deb12", false);
    let truncated = fs::read_to_string(host.metadata("7.0.1")).unwrap();
    fs::write(host.metadata("7.0.1"), &truncated[..100]).unwrap();
    fs::write(host.metadata("7.0.2"), r#"{"schema": 7, "shape": "unknown"}"#).unwrap();
    // As cargo calls it.
    insta::assert_snapshot!("list", host.succeeds("ktstr kernel list"));
    let rows: serde_json::Value = serde_json::from_str(&host.succeeds("kernel list --json")).unwrap();
    let row = |nth: usize, field: &str| rows[nth][field].clone();
    assert_eq!(
        (row(0, "key"), row(0, "state"), row(0, "sched_ext")),
        ("7.3.4+deb13".into(), "ready".into(), true.into())
    );
    assert_eq!((row(2, "version"), row(2, "sched_ext")), ("6.12.95".into(), false.into()));
    assert_eq!((row(3, "key"), row(3, "state")), ("7.0.1".into(), "corrupt".into()));
}

#[test]
fn refuses_nonsense_with_what_is_accepted() {
    let host = Host::new();
    insta::assert_snapshot!("fetch_nonsense", host.fails("kernel fetch banana"));
    insta::assert_snapshot!("fetch_empty_range", host.fails("kernel fetch 7.1..7.0"));
    insta::assert_snapshot!("fetch_path", host.fails("kernel fetch ./bzImage"));
    insta::assert_snapshot!(host.fails("kernel list --range 6.18"), @"error: `6.18` is not a range; write A..B, such as 6.16..7.0");
    assert!(!host.root().exists(), "a refused command leaves nothing");
}

#[test]
fn a_range_is_every_cached_kernel_in_it_or_the_newest_of_them() {
    let host = Host::new();
    for release in ["6.12.95+deb12", "6.18.2+deb13", "6.18.15+deb13", "7.0.13+deb13", "7.3.4+deb13"] {
        host.add(release, true);
    }
    // No QEMU is found, so both end after they have said what they take.
    let first_line = |args: &str| host.fails(args).lines().next().unwrap().to_owned();
    insta::assert_snapshot!(first_line("test --kernel 6.18..7.0 --kernel 7.3 --offline"), @"note: 6.18..=7.0 selects what is cached: 7.0.13+deb13, 6.18.15+deb13, 6.18.2+deb13; `cargo ktstr kernel list --range 6.18..=7.0` shows what else there is");
    insta::assert_snapshot!(first_line("explore steady --kernel 6.18..7.0 --offline"), @"note: 6.18..=7.0 selects 7.0.13+deb13, 6.18.15+deb13, 6.18.2+deb13; this command takes the newest of them");
    let error = host.fails("test --kernel 7.1..7.2 --offline");
    assert!(
        error.starts_with("error: kernel 7.1..=7.2 is not here, and --offline forbids getting it"),
        "{error}"
    );
}

#[test]
fn what_is_cached_is_not_fetched_again() {
    let host = Host::new();
    host.add("7.3.4+deb13", true);
    // There is neither apt nor a network here.
    for named in ["7.3", "7.3.4", "7.0..", "7.3.4+deb13"] {
        let said = host.succeeds(&format!("kernel fetch {named}"));
        assert_eq!(said, "7.3.4+deb13 is cached already: [DIR]/cache/kernels/7.3.4+deb13/image");
    }
    let error = host.fails("kernel fetch 6.18");
    assert!(error.contains("apt-get was not found"), "{error}");
    let error = host.fails("kernel fetch --refresh 7.3");
    assert!(error.contains("apt-get was not found"), "{error}");
}

#[test]
fn without_a_network_the_newest_cached_kernel_has_to_do() {
    let host = Host::new();
    host.add("7.3.4+deb13", true);
    let output = host.command("kernel fetch").output().unwrap();
    assert!(output.status.success());
    let said = host.text(&output.stderr);
    assert!(said.contains("note: could not look for a newer kernel"), "{said}");
}

#[test]
fn a_kernel_without_sched_ext_is_pointed_out() {
    let host = Host::new();
    host.add("6.12.95+deb12", false);
    let output = host.command("kernel fetch 6.12").output().unwrap();
    assert!(host.text(&output.stderr).contains("has no sched_ext"));
}

#[test]
fn a_wrong_mirror_is_named() {
    let host = Host::new();
    let output = host.command("kernel fetch 7.3").env("KTSTR_DEBIAN_MIRROR", "ftp://x").output().unwrap();
    let error = host.text(&output.stderr);
    assert!(!output.status.success() && error.contains("KTSTR_DEBIAN_MIRROR is `ftp://x`"), "{error}");
}

#[test]
fn a_cache_that_cannot_be_read_or_written_is_named() {
    let host = Host::new();
    fs::write(host.root(), "a file where the folder should be").unwrap();
    for args in ["kernel list", "kernel fetch", "kernel fetch 7.3", "kernel clean --force"] {
        let error = host.fails(args);
        assert!(error.contains("[DIR]/cache") && error.contains("KTSTR_CACHE_DIR"), "{args}: {error}");
    }
    let mut homeless = host.command("kernel list");
    let output = homeless.env_remove("KTSTR_CACHE_DIR").output().unwrap();
    insta::assert_snapshot!(host.text(&output.stderr), @"error: there is no place for the kernel cache: set KTSTR_CACHE_DIR, XDG_CACHE_HOME or HOME");
}

#[test]
fn cleaning_asks_and_keeps_what_it_should() {
    let host = Host::new();
    assert_eq!(host.succeeds("kernel clean"), "nothing to remove in [DIR]/cache");
    for release in ["6.18.15", "7.0.13", "7.3.4", "9.9.9"] {
        host.add(release, true);
    }
    fs::write(host.metadata("9.9.9"), "{").unwrap();
    insta::assert_snapshot!(host.fails("kernel clean --keep 1"), @r"
    error: not removing without a terminal to ask at; --force removes
      7.0.13
      6.18.15
      9.9.9
    ");
    insta::assert_snapshot!(host.succeeds("kernel clean --corrupt-only --force"), @"removed 9.9.9 (0.0 MB)");
    insta::assert_snapshot!(host.succeeds("kernel clean --keep 1 --force"), @r"
    removed 7.0.13 (0.0 MB)
    removed 6.18.15 (0.0 MB)
    ");
    let in_use = Cache::at(host.root()).get("7.3.4").unwrap().unwrap();
    let hold = in_use.hold().unwrap();
    insta::assert_snapshot!(host.succeeds("kernel clean --force"), @"kept 7.3.4: it is in use by another process");
    drop(hold);
    insta::assert_snapshot!(host.succeeds("kernel clean --force"), @"removed 7.3.4 (0.0 MB)");
}

#[test]
#[ignore = "downloads 15 MB through the system's apt"]
fn fetches_a_real_kernel() {
    let host = Host::new();
    for was in ["fetched", "is cached already"] {
        let mut command = host.command("kernel fetch 7.3");
        let output = command.env("PATH", std::env::var_os("PATH").unwrap()).output().unwrap();
        assert!(output.status.success(), "{}", host.text(&output.stderr));
        assert!(host.text(&output.stdout).contains(was), "{}", host.text(&output.stdout));
    }
    let entry = Cache::at(host.root()).newest(Some(&"7.3".parse().unwrap())).unwrap().unwrap();
    assert!(entry.metadata().sched_ext && fs::metadata(entry.image()).unwrap().len() > 5_000_000);
}
