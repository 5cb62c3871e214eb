//! A whole kernel, built from Debian's sources: half an hour on a busy machine.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use ktstr_kernel::{Btf, Cache, Environment, KernelConfig, KernelSpec, resolve};

const PACKAGE: &str = "linux-source-7.3";
const SUITE: &str = "trixie-backports";

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// apt-get with all of its state in `dir`.
fn apt(dir: &Path) -> Command {
    let mut command = Command::new("apt-get");
    for setting in [
        "Debug::NoLocking=1",
        "APT::Sandbox::User=root",
        "Dir::State::status=/dev/null",
        "Dir::Etc::sourceparts=/dev/null",
    ] {
        command.args(["-o", setting]);
    }
    for (name, path) in
        [("Dir::State", ""), ("Dir::Cache", "cache"), ("Dir::Etc::sourcelist", "sources.list")]
    {
        command.arg("-o").arg(format!("{name}={}", dir.join(path).display()));
    }
    command.current_dir(dir);
    command
}

/// The sources of the package, unpacked.
fn sources(dir: &Path) -> PathBuf {
    let tree = dir.join("linux");
    if tree.join("Makefile").exists() {
        return tree;
    }
    fs::create_dir_all(dir.join("lists/partial")).unwrap();
    fs::create_dir_all(dir.join("cache/archives/partial")).unwrap();
    let mirror = env::var("KTSTR_DEBIAN_MIRROR").unwrap_or_else(|_| {
        let targets = run(Command::new("apt-get").args(["indextargets", "--format", "$(REPO_URI)"]));
        let mut mirrors =
            targets.lines().filter(|address| address.trim_end_matches('/').ends_with("/debian"));
        mirrors.next().expect("apt knows no Debian mirror: set KTSTR_DEBIAN_MIRROR").to_owned()
    });
    fs::write(dir.join("sources.list"), format!("deb {mirror} {SUITE} main\n")).unwrap();
    run(apt(dir).arg("update"));
    run(apt(dir).args(["download", PACKAGE]));
    let deb = fs::read_dir(dir)
        .unwrap()
        .flatten()
        .find(|file| file.file_name().to_string_lossy().ends_with(".deb"));
    run(Command::new("dpkg-deb").arg("-x").arg(deb.unwrap().path()).arg(dir.join("package")));
    let archive = dir.join("package/usr/src").join(format!("{PACKAGE}.tar.xz"));
    fs::create_dir_all(dir.join("partial")).unwrap();
    run(Command::new("tar")
        .args(["-xJf"])
        .arg(archive)
        .args(["--strip-components=1", "-C"])
        .arg(dir.join("partial")));
    fs::rename(dir.join("partial"), &tree).unwrap();
    tree
}

#[test]
#[ignore = "downloads 170 MB of sources and builds a kernel"]
fn slow_kernel_build() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("slow-kernel-build");
    fs::create_dir_all(&dir).unwrap();
    let tree = sources(&dir);
    let cache = Cache::at(dir.join("cache-of-ktstr"));
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("cargo-ktstr"));
    command.env("KTSTR_CACHE_DIR", cache.root()).args(["kernel", "build", "--source"]).arg(&tree);
    let said = run(&mut command);
    assert!(said.starts_with("7.3."), "{said}");

    let kernel = resolve(&KernelSpec::Path(tree), &Environment::of_process(), &cache).unwrap();
    assert_eq!(kernel.sched_ext, Some(true));
    // The image has in itself what the build kept beside it.
    let alone = dir.join("alone");
    fs::create_dir_all(&alone).unwrap();
    fs::copy(&kernel.image, alone.join("bzImage")).unwrap();
    let image =
        resolve(&KernelSpec::Path(alone.join("bzImage")), &Environment::of_process(), &cache).unwrap();
    assert_eq!(image.config, None);
    let config: KernelConfig = image.config_text().unwrap().unwrap().parse().unwrap();
    assert_eq!(config.get("LOCALVERSION"), Some("-ktstr"));
    let names = |btf: &Btf| btf.functions().map(|function| function.name.to_owned()).collect::<Vec<_>>();
    let kept = names(&kernel.btf().unwrap());
    assert!(kept.iter().any(|name| name == "scx_bpf_dsq_insert"));
    assert_eq!(names(&image.btf().unwrap()), kept);
}
