use super::*;

const QEMU: Packages = Packages::AtLeast("qemu-system-x86", 8, 2);
const CLANG: Packages = Packages::AnyOf(&["clang-19", "clang-18"]);
const LIBELF: Packages = Packages::All(&["libelf-dev", "pkg-config"]);

/// As Debian 12 prints it, before and after backports are configured.
const BOOKWORM: &str = "\
qemu-system-x86 | 1:7.2+dfsg-7+deb12u18+b3 | http://mirror.example/debian bookworm/main amd64 Packages
qemu-system-x86 | 1:7.2+dfsg-7+deb12u15 | http://mirror.example/debian-security bookworm-security/main amd64 Packages
  clang-19 | 1:19.1.7-3~deb12u1 | http://mirror.example/debian bookworm/main amd64 Packages
libelf-dev | 0.188-2.1 | http://mirror.example/debian bookworm/main amd64 Packages
pkg-config | 1.8.1-1 | http://mirror.example/debian bookworm/main amd64 Packages
";
const BACKPORTS: &str = "\
qemu-system-x86 | 1:10.0.2+ds-2+deb13u1~bpo12+1 | http://mirror.example/debian bookworm-backports/main amd64 Packages
";

const TARGETS: &str = "\
MetaKey: main/binary-amd64/Packages
Codename: bookworm
Origin: Somebody else
Component: main
Release: bookworm
Repo-URI: http://tools.example/debian/

MetaKey: main/binary-amd64/Packages
Codename: bookworm-security
Origin: Debian
Component: main
Release: bookworm-security
Repo-URI: http://mirror.example/debian-security/

MetaKey: main/binary-amd64/Packages
Codename: bookworm
Origin: Debian
Suite: oldstable
Component: main
Release: bookworm
Repo-URI: http://mirror.example/debian/
";

fn archive(offers: &str, targets: &str, codename: &str) -> Archive {
    Archive { offers: read_offers(offers), targets: read_targets(targets), codename: codename.to_owned() }
}

fn lines(wanted: &[Packages], archive: &Archive) -> String {
    plan(wanted, archive).unwrap().iter().map(|command| format!("{command}\n")).collect()
}

#[test]
fn a_bare_debian_12_gets_backports_for_qemu_alone() {
    let archive = archive(BOOKWORM, TARGETS, "bookworm");
    insta::assert_snapshot!(lines(&[QEMU, CLANG, LIBELF], &archive), @r"
    echo 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian bookworm-backports main' | tee /etc/apt/sources.list.d/ktstr-backports.list
    apt-get update
    env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends clang-19 libelf-dev pkg-config
    env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -t bookworm-backports qemu-system-x86
    ");
}

#[test]
fn backports_that_are_configured_are_not_added_again() {
    let archive = archive(&format!("{BACKPORTS}{BOOKWORM}"), TARGETS, "bookworm");
    insta::assert_snapshot!(lines(&[QEMU], &archive), @r"
    apt-get update
    env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -t bookworm-backports qemu-system-x86
    ");
}

#[test]
fn a_release_whose_qemu_is_new_enough_needs_no_backports() {
    let offers = "qemu-system-x86 | 1:8.2.2+ds-0 | http://mirror.example/ubuntu noble/main amd64 Packages\n\
                  clang-18 | 1:18.1.3-1 | http://mirror.example/ubuntu noble/universe amd64 Packages\n";
    let archive = archive(offers, "", "noble");
    insta::assert_snapshot!(lines(&[QEMU, CLANG], &archive), @r"
    apt-get update
    env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends qemu-system-x86 clang-18
    ");
}

#[test]
fn the_mirror_is_known_before_any_list_is_fetched() {
    let targets = "Component: main\nRelease: bookworm\nRepo-URI: http://mirror.example/debian/\n";
    let (source, suite) = backports_source(&archive("", targets, "bookworm")).unwrap();
    assert!(source.to_string().contains(" http://mirror.example/debian bookworm-backports main"), "{source}");
    assert_eq!(suite, "bookworm-backports");
}

#[test]
fn what_no_source_has_is_an_error_that_names_it() {
    let old = "qemu-system-x86 | 1:6.2+dfsg-2 | http://mirror.example/ubuntu jammy/main amd64 Packages\n";
    let archive =
        archive(old, "Component: main\nRelease: jammy\nRepo-URI: http://mirror.example/ubuntu/\n", "jammy");
    let error = |wanted| format!("{:#}", plan(&[wanted], &archive).unwrap_err());
    assert_eq!(
        error(QEMU),
        "apt offers no qemu-system-x86 of version 8.2 or newer: install one yourself: \
         no source in apt's configuration is Debian's own"
    );
    assert_eq!(error(CLANG), "apt offers none of clang-19, clang-18");
    assert_eq!(error(LIBELF), "apt offers no package libelf-dev: install what it brings by other means");
}

#[test]
fn reads_package_versions() {
    assert_eq!(upstream_version("1:10.0.2+ds-2+deb13u1~bpo12+1"), Some((10, 0)));
    assert_eq!(upstream_version("0.188-2.1"), Some((0, 188)));
    assert_eq!(upstream_version("20240101-1"), Some((20_240_101, 1)));
    assert_eq!(upstream_version("git"), None);
}

#[test]
fn reads_the_codename() {
    assert_eq!(codename("ID=debian\nVERSION_CODENAME=bookworm\n").as_deref(), Some("bookworm"));
    assert_eq!(codename("VERSION_CODENAME=\"noble\"\n").as_deref(), Some("noble"));
    assert_eq!(codename("ID=arch\n"), None);
}
