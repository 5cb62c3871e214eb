//! Caches on file systems that refuse: full ones and read-only ones, mounted in a namespace of their own.

use crate::support::bz_image;
use std::process::Command;

use crate::host::Host;

/// Runs `cargo ktstr` with these arguments after the shell command `mount`; output and messages, and whether it
/// succeeded. `None` where this user may not mount.
fn mounted(host: &Host, mount: &str, args: &str) -> Option<(bool, String)> {
    let unshare = || {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
        command
    };
    let may_mount = unshare().arg("mount -t tmpfs none /mnt").output();
    if !may_mount.is_ok_and(|output| output.status.success()) {
        eprintln!("not tested: no user namespaces here");
        return None;
    }
    let (cache, bin) = (host.path("cache"), host.path("bin"));
    let program = assert_cmd::cargo::cargo_bin("cargo-ktstr");
    let script = format!(
        "{} && PATH={} KTSTR_CACHE_DIR={cache} exec {} {args}",
        mount.replace("CACHE", &cache.display().to_string()),
        bin.display(),
        program.display(),
        cache = cache.display(),
    );
    let output = unshare().arg(script).current_dir(host.dir.path()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).replace(&host.dir.path().display().to_string(), "[DIR]");
    Some((output.status.success(), said))
}

#[test]
fn a_disk_that_is_full_in_mid_build_is_named() {
    let host = Host::with_tree();
    std::fs::create_dir(host.path("cache")).unwrap();
    // The configuration fits, the image does not.
    host.edit("image", [bz_image("7.3.4-ktstr"), vec![0; 1 << 20]].concat());
    for (kilobytes, why) in [(200, "No space left on device"), (8, "KTSTR_CACHE_DIR can name another folder")]
    {
        let mount = format!("mount -t tmpfs -o size={kilobytes}k none CACHE");
        let Some((success, said)) = mounted(&host, &mount, "kernel build --source linux") else { return };
        assert!(!success && said.contains(why) && said.contains("[DIR]/cache"), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn a_read_only_cache_is_read_and_refuses_the_rest() {
    let host = Host::with_tree();
    host.succeeds("build --source linux");
    let key = host.entries()[0].key().to_owned();
    let mount = "mount --bind CACHE CACHE && mount -o remount,bind,ro CACHE";
    for args in ["kernel list", "kernel build --source linux"] {
        let Some((success, said)) = mounted(&host, mount, args) else { return };
        assert!(success && said.contains(&key), "{args}: {said}");
    }
    host.edit("kernel/sched/core.c", "int other;\n");
    for args in ["kernel build --source linux", "kernel clean --force"] {
        let (success, said) = mounted(&host, mount, args).unwrap();
        assert!(!success && said.contains("Read-only file system"), "{args}: {said}");
        assert!(said.contains("KTSTR_CACHE_DIR can name another folder"), "{args}: {said}");
    }
    assert_eq!(host.entries().len(), 1);
}
