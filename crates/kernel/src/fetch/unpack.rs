//! Taking image and configuration out of Debian packages.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    process::Stdio,
};

use super::{
    deb::files_archive,
    program::{Failure, command},
};
use crate::{Error, program::find_program};

/// A file wanted from the packages.
struct Wanted<'a> {
    what: &'static str,
    /// Where it may lie: Debian moved it from `/boot` to the modules' folder.
    places: [String; 3],
    target: &'a Path,
    is_found: bool,
}

impl<'a> Wanted<'a> {
    fn new(what: &'static str, file: &str, release: &str, target: &'a Path) -> Self {
        let places = [
            format!("boot/{file}-{release}"),
            format!("usr/lib/modules/{release}/{file}"),
            format!("lib/modules/{release}/{file}"),
        ];
        Self { what, places, target, is_found: false }
    }
}

/// Writes the image and the configuration of `release` from the packages that hold them.
pub fn unpack(packages: &[PathBuf], release: &str, image: &Path, config: &Path) -> Result<(), Error> {
    let mut wanted = [
        Wanted::new("kernel image", "vmlinuz", release, image),
        Wanted::new("configuration", "config", release, config),
    ];
    for package in packages {
        unpack_one(package, &mut wanted)?;
    }
    match wanted.iter().find(|wanted| !wanted.is_found) {
        Some(wanted) => Err(Error::Layout { release: release.to_owned(), what: wanted.what }),
        None => Ok(()),
    }
}

fn unpack_one(package: &Path, wanted: &mut [Wanted]) -> Result<(), Error> {
    if find_program("dpkg-deb").is_none() {
        let refuse = |why: io::Error| Error::Package { package: package.to_owned(), why: why.to_string() };
        return extract(files_archive(package).map_err(refuse)?, wanted);
    }
    let failure = Failure {
        program: "dpkg-deb",
        doing: &format!("unpacking {}", package.display()),
        remedy: "fetch the kernel again",
        if_missing: "install dpkg, or build a kernel and give the path of its image",
    };
    let mut child = command("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(package)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failure.not_started(&error))?;
    let extracted = child.stdout.take().map_or(Ok(()), |archive| extract(archive, wanted));
    // What follows the wanted files is not needed: dpkg-deb may be in the middle of it.
    let is_complete = wanted.iter().all(|wanted| wanted.is_found);
    if is_complete {
        let _ = child.kill();
    }
    let output = child.wait_with_output().map_err(|error| failure.not_started(&error))?;
    extracted?;
    if is_complete || output.status.success() { Ok(()) } else { Err(failure.failed(&output.stderr)) }
}

fn extract(archive: impl Read, wanted: &mut [Wanted]) -> Result<(), Error> {
    let mut archive = tar::Archive::new(archive);
    // An archive that breaks off shows in dpkg-deb's exit status, with better words.
    for mut file in archive.entries().into_iter().flatten().map_while(Result::ok) {
        let path =
            file.path().map(|path| path.strip_prefix("./").unwrap_or(&path).to_owned()).unwrap_or_default();
        for wanted in
            wanted.iter_mut().filter(|wanted| wanted.places.iter().any(|place| Path::new(place) == path))
        {
            let copied = File::create(wanted.target).and_then(|mut target| io::copy(&mut file, &mut target));
            wanted.is_found = copied.map_err(Error::cache_io("write", wanted.target))? == file.size();
        }
        if wanted.iter().all(|wanted| wanted.is_found) {
            break;
        }
    }
    Ok(())
}
