//! From a build's objects to an entry of the cache.

use std::{fs, path::Path, process::Command};

use super::{recipe::Recipe, request::Built, scx_prototypes, workspace::Workspace};
use crate::{Btf, Cache, Error, KernelConfig, KeyLock, Origin, Progress, StagedEntry};

/// Puts what was built into the cache.
pub fn keep(
    workspace: &Workspace,
    lock: &KeyLock,
    recipe: Recipe,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Built, Error> {
    progress.step("Storing");
    let objects = workspace.objects();
    let staged = cache.stage(lock)?;
    copy(&objects.join("arch/x86/boot/bzImage"), &staged.image())?;
    copy(&objects.join(".config"), &staged.config())?;
    strip(&objects.join("vmlinux"), &staged)?;
    let btf = Btf::of_elf(&staged.vmlinux())?;
    if KernelConfig::read(&staged.config())?.has_sched_ext() {
        scx_prototypes::check(&btf, &recipe.toolchain.pahole)?;
    }
    fs::write(staged.btf(), btf.bytes()).map_err(Error::cache_io("write", &staged.btf()))?;
    let entry = staged.commit(Origin::Built(Box::new(recipe)))?;
    Ok(Built { entry, was_cached: false })
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    fs::copy(from, to).map(drop).map_err(Error::cache_io("write", to))
}

/// Symbols and types stay; the debug information, nine tenths of the file, goes.
fn strip(vmlinux: &Path, staged: &StagedEntry) -> Result<(), Error> {
    let mut command = Command::new("objcopy");
    command.arg("--strip-debug").arg(vmlinux).arg(staged.vmlinux());
    let output = command.output().map_err(Error::io("strip", vmlinux))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::cache_io("write", &staged.vmlinux())(std::io::Error::other(said)))
}
