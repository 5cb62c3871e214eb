//! `-i PATH`: what the guest gets under `/include-files/`.

use std::collections::HashMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use ktstr_host::Host;
use ktstr_vm::Payload;

const FOLDER: &str = "/include-files";

/// Adds all of them, programs with the shared libraries they need.
///
/// # Errors
/// When one is not there, is neither a file nor a folder, is too large, or has another's name.
pub fn add(payload: &mut Payload, paths: &[PathBuf]) -> Result<()> {
    let mut seen: HashMap<String, PathBuf> = HashMap::new();
    for path in paths {
        let refused = |why: &dyn Display| anyhow!("-i {}: {why}", path.display());
        let found = find(path, &Host::of_process()).map_err(|error| refused(&error))?;
        let name = found.file_name().unwrap_or_default().to_string_lossy().into_owned();
        payload.add_path(&found, &format!("{FOLDER}/{name}")).map_err(|error| refused(&error))?;
        if let Some(other) = seen.insert(name.clone(), found.clone()).filter(|other| *other != found) {
            let (other, found) = (other.display(), found.display());
            bail!("{other} and {found} would both be {FOLDER}/{name} in the guest: rename one");
        }
    }
    Ok(())
}

/// The file or folder that is meant: at this path, or a program of this name in PATH.
fn find(path: &Path, host: &Host) -> Result<PathBuf> {
    if path.exists() {
        // For its name: `..` has none.
        return if path.file_name().is_some() { Ok(path.to_owned()) } else { Ok(path.canonicalize()?) };
    }
    let is_bare = path.components().count() == 1 && !path.to_string_lossy().contains('/');
    if !is_bare {
        bail!("there is no such file or folder");
    }
    host.find(path).ok_or_else(|| anyhow!("neither a file or folder here, nor a program in PATH"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn refused(path: &Path) -> String {
        format!("{:#}", add(&mut Payload::default(), &[path.to_owned()]).unwrap_err())
    }

    #[test]
    fn a_path_goes_before_a_program_in_path() {
        let folder = tempfile::tempdir().unwrap();
        let (tool, host) =
            (folder.path().join("tool"), Host { path: folder.path().into(), ..Host::default() });
        fs::write(&tool, "").unwrap();
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
        let found = |path: &str| find(Path::new(path), &host);
        assert_eq!(found("tool").unwrap(), tool);
        assert_eq!(found("src").unwrap(), Path::new("src"));
        assert!(found("./tool").is_err());
        assert!(found(".").unwrap().file_name().is_some());
    }

    #[test]
    fn what_cannot_be_included_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let error = refused(&at("missing"));
        assert!(
            error.starts_with("-i ") && error.ends_with("missing: there is no such file or folder"),
            "{error}"
        );
        assert!(refused(Path::new("no-such-program")).ends_with("nor a program in PATH"));

        rustix::fs::mkfifoat(rustix::fs::CWD, at("fifo"), rustix::fs::Mode::RWXU).unwrap();
        assert!(refused(&at("fifo")).ends_with("fifo: neither a file nor a folder"));

        fs::File::create(at("huge")).unwrap().set_len(10 << 30).unwrap();
        let error = refused(&at("huge"));
        assert!(
            error.contains("huge") && error.contains("10240 MiB") && error.contains("too large"),
            "{error}"
        );

        fs::create_dir(at("a")).unwrap();
        std::os::unix::fs::symlink(".", at("a/up")).unwrap();
        assert!(refused(&at("a")).contains("leads back"));
    }

    #[test]
    fn two_of_one_name_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["one", "two"].map(|name| folder.path().join(name).join("same"));
        for path in &paths {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let error = add(&mut Payload::default(), &paths).unwrap_err().to_string();
        assert!(error.ends_with("would both be /include-files/same in the guest: rename one"), "{error}");
        add(&mut Payload::default(), &[paths[0].clone(), paths[0].clone()]).unwrap();
    }
}
