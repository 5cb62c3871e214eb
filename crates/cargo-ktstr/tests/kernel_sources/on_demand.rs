//! `cargo ktstr test --kernel SPEC` gets a kernel that is absent. No host of these tests has a QEMU, so the command ends
//! where the machine would begin.

use std::{fs, path::Path};

use crate::{debian, host::Host, mirror::Mirror, release::archive_of};

const NO_QEMU: &str = "error: no QEMU";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Runs `test` with mirrors; what it says.
fn test(host: &Host, args: &str, debian: &Mirror, kernel_org: &Mirror) -> String {
    let mut command = host.ktstr(&format!("test {args}"));
    command.env("KTSTR_DEBIAN_MIRROR", &debian.address).env("KTSTR_KERNEL_MIRROR", &kernel_org.address);
    host.run(&mut command, false).1
}

/// A host whose gpgv takes everything for signed.
fn trusting() -> Option<Host> {
    // `test` has no `--insecure`, and only a keyring makes gpgv be asked.
    if !Path::new(KEYRING).exists() {
        eprintln!("not tested: {KEYRING} is not here");
        return None;
    }
    let host = Host::new();
    host.script("gpgv", "for file; do :; done; cat $file");
    Some(host)
}

#[test]
fn a_version_is_fetched_after_one_line() {
    let Some(host) = trusting() else { return };
    let (debian, nothing) = (debian::mirror(&host, |_| ()), Mirror::serve(Vec::new(), None));
    let said = test(&host, "--offline --kernel 7.9", &debian, &nothing);
    assert!(said.contains("kernel 7.9 is not here, and --offline forbids getting it"), "{said}");
    assert_eq!(debian.requests.lock().unwrap().len(), 0);

    let said = test(&host, "--kernel 7.9", &debian, &nothing);
    assert!(said.contains("note: kernel 7.9 is not cached: fetching it ready-made"), "{said}");
    assert!(said.contains(NO_QEMU), "{said}");
    assert_eq!(host.entries()[0].key(), debian::RELEASE);

    let asked = debian.requests.lock().unwrap().len();
    let said = test(&host, "--offline --kernel 7.9", &debian, &nothing);
    assert!(said.starts_with(NO_QEMU), "{said}");
    assert_eq!(debian.requests.lock().unwrap().len(), asked);
}

#[test]
fn what_nobody_offers_ready_made_is_built_from_its_release() {
    let Some(host) = trusting() else { return };
    let archive = ("/v7.x/linux-7.5.9.tar.xz".to_owned(), archive_of(&host, 5, 9));
    let (debian, kernel_org) = (debian::mirror(&host, |_| ()), Mirror::serve(vec![archive], None));
    let said = test(&host, "--kernel 7.5.9", &debian, &kernel_org);
    assert!(said.contains("there is no ready-made kernel 7.5.9"), "{said}");
    assert!(said.contains("; building it from its release"), "{said}");
    assert!(said.contains(NO_QEMU), "{said}");
    assert!(host.entries()[0].key().starts_with("7.5.9-ktstr-"));

    let said = test(&host, "--kernel 7.5.8", &debian, &kernel_org);
    assert!(said.contains("/v7.x/linux-7.5.8.tar.xz could not be read"), "{said}");
    assert_eq!(host.entries().len(), 1, "nothing else in its place");
}

#[test]
fn a_tree_and_a_reference_are_built() {
    let host = Host::with_tree();
    let nothing = Mirror::serve(Vec::new(), None);
    let said = test(&host, "--offline --kernel ./linux", &nothing, &nothing);
    assert!(said.contains("--offline forbids"), "{said}");
    let said = test(&host, "--kernel ./linux", &nothing, &nothing);
    assert!(
        said.contains("linux is not built: building it in the cache") && said.contains(NO_QEMU),
        "{said}"
    );
    assert_eq!(host.entries().len(), 1);

    for args in ["init -q -b main", "add -A", "commit -q -m x"] {
        host.git(args);
    }
    let spec = format!("git+file://{}#main", host.path("linux").display());
    let said = test(&host, &format!("--offline --kernel {spec}"), &nothing, &nothing);
    assert!(said.contains("--offline forbids"), "{said}");
    let said = test(&host, &format!("--kernel {spec}"), &nothing, &nothing);
    assert!(said.contains("#main: building") && said.contains(NO_QEMU), "{said}");
    assert_eq!(host.entries().len(), 2);
    fs::remove_dir_all(host.path("linux")).unwrap();
    let said = test(&host, &format!("--offline --kernel {spec}"), &nothing, &nothing);
    assert!(said.starts_with(NO_QEMU), "{said}");
}
