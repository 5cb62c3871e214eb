//! Debian's kernels on a host without apt and dpkg.

use crate::support::bz_image;
use std::{fs, path::Path, process::Command};

use ktstr_kernel::Sha256Sum;

use crate::{host::Host, mirror::Mirror};

pub const RELEASE: &str = "7.9.1+deb13-cloud-amd64";
const SUITE: &str = "/dists/trixie-backports";

fn pack(program: &str, args: &[&str], dir: &Path) -> Vec<u8> {
    let output = Command::new(program).args(args).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{program}");
    output.stdout
}

/// A package with one file, as dpkg writes it.
fn package(host: &Host, file: &str, content: &[u8], compression: &str) -> Vec<u8> {
    let root = host.path("package");
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    let suffix = if compression == "--xz" { "xz" } else { "gz" };
    let data = pack("tar", &["-c", compression, "."], &root);
    fs::remove_dir_all(&root).unwrap();
    let mut deb = b"!<arch>\n".to_vec();
    for (name, content) in [("debian-binary", b"2.0\n\n\n".to_vec()), (&format!("data.tar.{suffix}"), data)] {
        deb.extend(
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 100_644, content.len()).bytes(),
        );
        let is_odd = content.len() % 2 == 1;
        deb.extend(content);
        deb.extend(is_odd.then_some(b'\n'));
    }
    deb
}

/// A mirror with one kernel; `spoil` changes its files.
pub fn mirror(host: &Host, spoil: impl Fn(&mut Vec<(String, Vec<u8>)>)) -> Mirror {
    let binary = package(host, &format!("usr/lib/modules/{RELEASE}/vmlinuz"), &bz_image(RELEASE), "--xz");
    let base =
        package(host, &format!("usr/lib/modules/{RELEASE}/config"), b"CONFIG_SCHED_CLASS_EXT=y\n", "--gzip");
    let mut files = Vec::new();
    let mut index = String::new();
    for (kind, content) in [("binary", binary), ("base", base)] {
        let (name, path) = (format!("linux-{kind}-{RELEASE}"), format!("pool/{kind}.deb"));
        let sum = Sha256Sum::of(&content);
        index += &format!(
            "Package: {name}\nVersion: 7.9.1-1\nSize: {}\nFilename: {path}\nSHA256: {sum}\n\n",
            content.len()
        );
        files.push((format!("/{path}"), content));
    }
    fs::write(host.path("Packages"), index).unwrap();
    let packed = pack("gzip", &["-c", "Packages"], host.dir.path());
    let sum = Sha256Sum::of(&packed);
    let release = format!("Suite: x\nSHA256:\n {sum} {} main/binary-amd64/Packages.gz\n", packed.len());
    files.push((format!("{SUITE}/main/binary-amd64/Packages.gz"), packed));
    files.push((format!("{SUITE}/InRelease"), release.into_bytes()));
    spoil(&mut files);
    Mirror::serve(files, None)
}

fn fetch(host: &Host, mirror: &Mirror, args: &str, success: bool) -> (String, String) {
    host.run(host.command(&format!("fetch 7.9 {args}")).env("KTSTR_DEBIAN_MIRROR", &mirror.address), success)
}

#[test]
fn an_unverified_mirror_is_refused_unless_that_is_wanted() {
    let host = Host::new();
    let mirror = mirror(&host, |_| ());
    let (_, error) = fetch(&host, &mirror, "", false);
    assert!(error.contains("cannot be verified: that needs gpgv") && error.contains("--insecure"), "{error}");
    assert_eq!(mirror.requests.lock().unwrap().len(), 0);

    let (said, _) = fetch(&host, &mirror, "--insecure", true);
    assert!(said.starts_with(&format!("{RELEASE} fetched: ")), "{said}");
    let entry = &host.entries()[0];
    assert!(entry.metadata().sched_ext);
    assert_eq!(fs::read(entry.image()).unwrap(), bz_image(RELEASE));
}

#[test]
fn a_signature_that_is_not_debians_is_refused() {
    let host = Host::new();
    // Stands for gpgv: the host of this test need not have one, nor the keyring.
    if !Path::new("/usr/share/keyrings/debian-archive-keyring.gpg").exists() {
        return;
    }
    host.script("gpgv", "echo 'gpgv: no valid OpenPGP data found' >&2; exit 2");
    let mirror = mirror(&host, |_| ());
    for args in ["", "--insecure"] {
        let (_, error) = fetch(&host, &mirror, args, false);
        assert!(
            error.contains("its signature is not Debian's (gpgv: no valid OpenPGP data found)"),
            "{args}: {error}"
        );
    }
    assert!(mirror.requests_of("Packages").is_empty() && host.entries().is_empty());
}

#[test]
fn what_does_not_match_its_sum_is_refused() {
    for (part, why) in [
        ("Packages", "its SHA-256 is"),
        ("binary.deb", "binary.deb has SHA-256"),
        ("base.deb", "base.deb has SHA-256"),
    ] {
        let host = Host::new();
        let mirror = mirror(&host, |files| {
            let file = files.iter_mut().find(|(path, _)| path.contains(part)).unwrap();
            *file.1.last_mut().unwrap() ^= 1;
        });
        let (_, error) = fetch(&host, &mirror, "--insecure", false);
        assert!(error.contains(why), "{part}: {error}");
        assert!(host.entries().is_empty());
    }
}

#[test]
fn a_range_shows_what_could_be_fetched() {
    let host = Host::new();
    let mirror = mirror(&host, |_| ());
    let mut list = host.command("list --range 7.8..7.9");
    let (_, error) = host.run(list.env("KTSTR_DEBIAN_MIRROR", &mirror.address), false);
    assert!(error.contains("--insecure"), "{error}");
    fetch(&host, &mirror, "--insecure", true);
    let (said, _) = host.succeeds("list");
    assert!(said.contains(RELEASE), "{said}");
}

#[test]
fn a_mirror_without_the_suite_is_named() {
    let host = Host::new();
    let mirror = mirror(&host, |files| files.retain(|(path, _)| !path.contains("InRelease")));
    let (_, error) = fetch(&host, &mirror, "--insecure", false);
    assert!(
        error.contains("/dists/trixie-backports/InRelease could not be read: the mirror does not have it"),
        "{error}"
    );
}
