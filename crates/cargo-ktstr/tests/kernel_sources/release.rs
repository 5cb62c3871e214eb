//! Releases from a mirror, which is a server in the test, and references from a git repository.

use std::{fs, process::Command, sync::Arc};

use ktstr_kernel::Sha256Sum;

use crate::{
    host::{Host, write_tree_of},
    mirror::Mirror,
};

fn archive(host: &Host) -> Vec<u8> {
    archive_of(host, 3, 4)
}

/// The archive of Linux 7.MINOR.PATCH.
pub fn archive_of(host: &Host, minor: u16, patch: u16) -> Vec<u8> {
    let name = format!("linux-7.{minor}.{patch}");
    write_tree_of(&host.path(&name), minor, patch);
    // Large enough to be broken off, and to stay so when packed.
    let noise: Vec<u8> =
        (0..40_000u32).flat_map(|n| Sha256Sum::of(&n.to_le_bytes()).to_string().into_bytes()).collect();
    fs::write(host.path(&name).join("noise"), noise).unwrap();
    let status = Command::new("tar").args(["cJf", "a.tar.xz", &name]).current_dir(host.dir.path()).status();
    assert!(status.unwrap().success());
    fs::read(host.path("a.tar.xz")).unwrap()
}

const ARCHIVE: &str = "/v7.x/linux-7.3.4.tar.xz";

fn mirror(archive: &[u8], sum: &str, cut: Option<usize>) -> Mirror {
    let other = "1".repeat(64);
    let sums =
        format!("{sum}  linux-7.3.4.tar.xz\n{other}  linux-7.3.6.tar.xz\n{other}  linux-7.4.1.tar.xz\n");
    let release = |moniker: &str, version: &str| {
        format!(r#"{{"moniker": "{moniker}", "version": "{version}", "iseol": false}}"#)
    };
    let releases = [
        release("mainline", "7.5-rc2"),
        release("stable", "7.4.1"),
        release("stable", "7.3.4"),
        release("linux-next", "next-2"),
    ];
    Mirror::serve(
        vec![
            (ARCHIVE.into(), archive.to_vec()),
            ("/v7.x/sha256sums.asc".into(), sums.into_bytes()),
            ("/releases.json".into(), format!(r#"{{"releases": [{}]}}"#, releases.join(",")).into_bytes()),
        ],
        cut,
    )
}

fn build(host: &Host, mirror: &Mirror, args: &str, success: bool) -> (String, String) {
    host.run(host.command(&format!("build {args}")).env("KTSTR_KERNEL_MIRROR", &mirror.address), success)
}

#[test]
fn builds_the_newest_series_that_is_not_brand_new() {
    let host = Host::new();
    let archive = archive(&host);
    let mirror = mirror(&archive, &Sha256Sum::of(&archive).to_string(), None);
    let (said, _) = build(&host, &mirror, "", true);
    assert!(said.starts_with("7.3.4-ktstr-") && said.contains(" built: "), "{said}");
    let asked = mirror.requests.lock().unwrap().len();
    for args in ["7.3.4", "7.3", "7.0..7.3.4"] {
        let (said, _) = build(&host, &mirror, args, true);
        assert!(said.contains("is cached already"), "{args}: {said}");
    }
    assert_eq!(mirror.requests.lock().unwrap().len(), asked, "what is cached was asked for");
    assert_eq!(fs::read_dir(host.path("cache/downloads")).unwrap().count(), 0);
}

#[test]
fn goes_on_where_a_download_broke_off() {
    let host = Host::new();
    let archive = archive(&host);
    let mirror = mirror(&archive, &Sha256Sum::of(&archive).to_string(), Some(500_000));
    build(&host, &mirror, "7.3.4", true);
    let starts = mirror.requests_of(ARCHIVE);
    assert_eq!(starts.len(), 2, "{starts:?}");
    assert_eq!(starts[0], format!("{ARCHIVE} 0"));
    assert_eq!(starts[1], format!("{ARCHIVE} 500000"));
}

#[test]
fn a_network_that_goes_away_leaves_what_the_next_command_goes_on_with() {
    let host = Host::new();
    let archive = archive(&host);
    let gone = Mirror::serve_until_gone(vec![(ARCHIVE.into(), archive.clone())], 500_000);
    let (_, error) = build(&host, &gone, "7.3.4", false);
    assert!(error.contains(ARCHIVE) && error.contains("type the same command again"), "{error}");
    assert!(host.entries().is_empty());
    let back = mirror(&archive, &Sha256Sum::of(&archive).to_string(), None);
    build(&host, &back, "7.3.4", true);
    assert_eq!(back.requests_of(ARCHIVE), [format!("{ARCHIVE} 500000")]);
}

#[test]
fn a_wrong_sum_is_refused_and_not_kept() {
    let host = Host::new();
    let archive = archive(&host);
    let mirror = mirror(&archive, &"2".repeat(64), None);
    let (_, error) = build(&host, &mirror, "7.3.4", false);
    assert!(
        error.contains("linux-7.3.4.tar.xz has SHA-256") && error.contains("KTSTR_KERNEL_MIRROR"),
        "{error}"
    );
    assert!(
        host.entries().is_empty() && !host.path("cache/downloads/linux-7.3.4/linux-7.3.4.tar.xz").exists()
    );
}

#[test]
fn a_version_that_is_nowhere_shows_what_is_near() {
    let host = Host::new();
    let mirror = mirror(b"", &"2".repeat(64), None);
    let (_, error) = build(&host, &mirror, "7.3.5", false);
    assert!(error.contains("has no Linux 7.3.5; near it there is 7.3.4, 7.3.6"), "{error}");
    let (_, error) = build(&host, &mirror, "7.2", false);
    assert!(error.contains("has no Linux 7.2; near it there is 7.4.1, 7.3.6"), "{error}");
}

#[test]
fn a_mirror_without_sums_is_used_and_said_so() {
    let host = Host::new();
    let mirror = Mirror::serve(vec![(ARCHIVE.into(), archive(&host))], None);
    let (_, notes) = build(&host, &mirror, "7.3.4", true);
    assert!(notes.contains("lists no sum of linux-7.3.4.tar.xz: it was not checked"), "{notes}");
}

#[test]
fn a_mirror_that_is_gone_is_named() {
    let host = Host::new();
    // Nothing listens there.
    let gone = Mirror { address: "http://127.0.0.1:1".into(), requests: Arc::default() };
    let (_, error) = build(&host, &gone, "7.3.4", false);
    assert!(error.contains("http://127.0.0.1:1/v7.x/sha256sums.asc could not be read"), "{error}");
    let nonsense = Mirror { address: "mirror.example".into(), requests: Arc::default() };
    let (_, error) = build(&host, &nonsense, "7.3.4", false);
    assert!(error.contains("KTSTR_KERNEL_MIRROR is `mirror.example`"), "{error}");
}

#[test]
fn an_archive_that_is_no_kernel_is_refused() {
    let host = Host::new();
    let mirror = mirror(b"not packed", &Sha256Sum::of(b"not packed").to_string(), None);
    let (_, error) = build(&host, &mirror, "7.3.4", false);
    assert!(error.contains("cannot unpack into"), "{error}");
}

#[test]
fn builds_a_reference_of_a_git_repository() {
    let host = Host::with_tree();
    for args in ["init -q -b main", "add -A", "commit -q -m x", "tag -a -m tag v7.3.4"] {
        host.git(args);
    }
    let commit = host.git("rev-parse HEAD");
    let url = format!("file://{}", host.path("linux").display());
    let (said, _) = host.succeeds(&format!("build --git {url} --ref main"));
    assert!(said.contains(" built: "), "{said}");
    for reference in ["v7.3.4", "main", commit.as_str()] {
        let (said, _) = host.succeeds(&format!("build --git {url} --ref {reference}"));
        assert!(said.contains("is cached already"), "{reference}: {said}");
    }
    let error = host.fails(&format!("build --git {url} --ref absent"));
    assert!(error.contains("could not be had from file://") && error.contains("absent"), "{error}");
}
