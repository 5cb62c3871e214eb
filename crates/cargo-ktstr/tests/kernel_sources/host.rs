//! A host for builds: a private cache, a `PATH` with stand-ins for the slow tools, and a source tree whose makefile
//! "builds" in no time.

use crate::support::bz_image;
use std::{
    env, fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use assert_cmd::Command;
use ktstr_kernel::{Cache, Entry, Slot};

/// Programs that the tests really use.
const REAL: [&str; 17] = [
    "make", "objcopy", "sh", "cat", "cp", "mkdir", "grep", "tar", "xz", "git", "sleep", "touch", "rm",
    "echo", "false", "true", "ls",
];
/// Programs that only have to be there.
const PRETENDED: [&str; 8] = ["ld", "flex", "bison", "bc", "perl", "python3", "pahole", "lz4"];

pub const MAKEFILE: &str = "VERSION = 7
PATCHLEVEL = 3
SUBLEVEL = 4
EXTRAVERSION =

allnoconfig:
\t@mkdir -p $(O)/arch/x86/boot
\t@echo '# Linux/x86 7.3.4 Kernel Configuration' > $(O)/.config
\t@grep -v -x -F -f dropped $(KCONFIG_ALLCONFIG) >> $(O)/.config

bzImage:
\t@echo '  CC      kernel/sched/core.o'
\t@sh before-build $(O)
\t@cp image $(O)/arch/x86/boot/bzImage
\t@objcopy -I binary -O elf64-x86-64 --rename-section .data=.BTF btf $(O)/vmlinux
";

pub struct Host {
    pub dir: tempfile::TempDir,
}

impl Host {
    pub fn new() -> Self {
        let host = Self { dir: tempfile::tempdir().unwrap() };
        let bin = host.path("bin");
        fs::create_dir(&bin).unwrap();
        for program in REAL {
            let dirs = env::var_os("PATH").unwrap();
            let real = env::split_paths(&dirs).map(|dir| dir.join(program)).find(|file| file.is_file());
            symlink(real.unwrap_or_else(|| panic!("the tests need {program}")), bin.join(program)).unwrap();
        }
        for program in PRETENDED {
            host.script(program, &format!("echo '{program} (pretended) 1.0'"));
        }
        host.script("gcc", "case $1 in --version) echo 'gcc (pretended) 1.0';; *) cat > /dev/null;; esac");
        host
    }

    /// A host with a tree in `linux`.
    pub fn with_tree() -> Self {
        let host = Self::new();
        write_tree(&host.path("linux"));
        host
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn script(&self, name: &str, text: &str) {
        let file = self.path("bin").join(name);
        fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Replaces a file of the tree.
    pub fn edit(&self, file: &str, text: impl AsRef<[u8]>) {
        let path = self.path("linux").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A subcommand of `kernel`.
    pub fn command(&self, args: &str) -> Command {
        self.ktstr(&format!("kernel {args}"))
    }

    pub fn ktstr(&self, args: &str) -> Command {
        let mut command = Command::cargo_bin("cargo-ktstr").unwrap();
        command.env_clear().env("KTSTR_CACHE_DIR", self.path("cache")).env("PATH", self.path("bin"));
        command.env("HOME", self.dir.path()).current_dir(self.dir.path());
        command.args(args.split_whitespace());
        command
    }

    fn text(&self, output: &[u8]) -> String {
        String::from_utf8_lossy(output)
            .replace(&self.dir.path().display().to_string(), "[DIR]")
            .trim_end()
            .to_owned()
    }

    /// Output and messages of a command that has to succeed.
    pub fn succeeds(&self, args: &str) -> (String, String) {
        self.run(&mut self.command(args), true)
    }

    /// Messages of a command that has to fail.
    pub fn fails(&self, args: &str) -> String {
        self.run(&mut self.command(args), false).1
    }

    pub fn run(&self, command: &mut Command, success: bool) -> (String, String) {
        let output = command.output().unwrap();
        let (stdout, stderr) = (self.text(&output.stdout), self.text(&output.stderr));
        assert_eq!(output.status.success(), success, "{stdout}\n{stderr}");
        (stdout, stderr)
    }

    pub fn entries(&self) -> Vec<Entry> {
        let slots = Cache::at(self.path("cache")).list().unwrap();
        slots.iter().filter_map(Slot::ready).cloned().collect()
    }

    /// git in the tree, with nothing of the user's configuration.
    pub fn git(&self, args: &str) -> String {
        let mut command = std::process::Command::new("git");
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-C"]).arg(self.path("linux"));
        let output = command.args(args.split_whitespace()).output().unwrap();
        assert!(output.status.success(), "{}", self.text(&output.stderr));
        self.text(&output.stdout)
    }
}

pub fn write_tree(tree: &Path) {
    write_tree_of(tree, 3, 4);
}

/// A tree of Linux 7.MINOR.PATCH.
pub fn write_tree_of(tree: &Path, minor: u16, patch: u16) {
    let makefile = MAKEFILE
        .replace("PATCHLEVEL = 3", &format!("PATCHLEVEL = {minor}"))
        .replace("SUBLEVEL = 4", &format!("SUBLEVEL = {patch}"));
    for (file, content) in [
        ("Makefile", makefile.into_bytes()),
        ("Kbuild", Vec::new()),
        (
            "Kconfig",
            b"config SCHED_CLASS_EXT\n\tbool\n\tdepends on BPF_JIT && PAHOLE_VERSION >= 122\n".to_vec(),
        ),
        ("kernel/sched/core.c", b"int x;\n".to_vec()),
        ("dropped", b"nothing\n".to_vec()),
        ("before-build", Vec::new()),
        ("image", bz_image(&format!("7.{minor}.{patch}-ktstr"))),
        ("btf", btf("task_struct")),
    ] {
        let path = tree.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// Type information of one function, `void scx_bpf_do(struct POINTEE *)`.
pub fn btf(pointee: &str) -> Vec<u8> {
    let names = format!("\0{pointee}\0scx_bpf_do\0").into_bytes();
    let function = 2 + pointee.len() as u32;
    let kind = |kind: u32, members: u32| kind << 24 | members;
    let types = [
        [1, kind(4, 0), 8].as_slice(),
        &[0, kind(2, 0), 1],
        &[0, kind(13, 1), 0, 0, 2],
        &[function, kind(12, 0), 3],
    ]
    .concat();
    let bytes = types.len() as u32 * 4;
    let mut btf = vec![0x9f, 0xeb, 1, 0];
    for word in [24, 0, bytes, bytes, names.len() as u32].iter().chain(&types) {
        btf.extend_from_slice(&word.to_le_bytes());
    }
    btf.extend(names);
    btf
}
