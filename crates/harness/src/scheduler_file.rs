//! Finding a scheduler's program, and refusing one that is older than its sources.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::HarnessError;

/// Where programs are looked for.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// `KTSTR_SCHEDULER`: a path that goes before everything else.
    pub named: Option<PathBuf>,
    /// The test binary.
    pub test_binary: PathBuf,
    /// `PATH`.
    pub search: Vec<PathBuf>,
}

impl Places {
    /// The places of this process.
    pub fn of_this_process() -> Self {
        Self {
            named: env::var_os("KTSTR_SCHEDULER").filter(|path| !path.is_empty()).map(PathBuf::from),
            test_binary: env::current_exe().unwrap_or_default(),
            search: env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default(),
        }
    }

    /// Finds the program `name`: what `KTSTR_SCHEDULER` names, beside the test binary, in cargo's profile folders, in
    /// `PATH`.
    ///
    /// # Errors
    /// When it is in none of them, with all of them; when it is older than its sources.
    pub fn find(&self, name: &str) -> Result<PathBuf, HarnessError> {
        let candidates = match &self.named {
            Some(path) => vec![path.clone()],
            None => self.candidates(name),
        };
        match candidates.iter().find(|path| path.is_file()) {
            Some(path) => check_fresh(path).map(|()| path.clone()),
            None => Err(HarnessError::NoScheduler { name: name.to_owned(), looked_at: candidates }),
        }
    }

    pub(crate) fn candidates(&self, name: &str) -> Vec<PathBuf> {
        let beside = self.test_binary.parent().unwrap_or(Path::new("."));
        // Test binaries are in `target/PROFILE/deps`, programs one folder up.
        let profile = if beside.ends_with("deps") { beside.parent().unwrap_or(beside) } else { beside };
        let target = profile.parent().unwrap_or(profile);
        let mut folders =
            vec![beside.to_owned(), profile.to_owned(), target.join("debug"), target.join("release")];
        folders.extend(self.search.iter().cloned());
        let mut paths: Vec<PathBuf> = folders.into_iter().map(|folder| folder.join(name)).collect();
        let mut seen = std::collections::HashSet::new();
        paths.retain(|path| seen.insert(path.clone()));
        paths
    }
}

/// Compares a program with the sources that cargo listed beside it (`NAME.d`). Programs that cargo did not build have
/// no such list and count as fresh.
pub fn check_fresh(binary: &Path) -> Result<(), HarnessError> {
    let mut list = binary.as_os_str().to_owned();
    list.push(".d");
    let Ok(list) = fs::read_to_string(list) else { return Ok(()) };
    let Ok(built) = fs::metadata(binary).and_then(|file| file.modified()) else { return Ok(()) };
    // What build scripts generate is as new as cargo's last look at it, and no source.
    let target = binary.parent().and_then(Path::parent).unwrap_or(binary);
    let mut written = sources(&list).into_iter().filter(|source| !source.starts_with(target));
    let newer = written.find_map(|source| changed_since(&source, built));
    match newer {
        Some(newer) => Err(HarnessError::StaleScheduler { binary: binary.to_owned(), newer }),
        None => Ok(()),
    }
}

/// A file at or below `path` that changed after `built`. Build scripts name folders, whose own times do not follow their
/// files'.
fn changed_since(path: &Path, built: SystemTime) -> Option<PathBuf> {
    if path.is_dir() {
        return fs::read_dir(path).ok()?.flatten().find_map(|entry| changed_since(&entry.path(), built));
    }
    let changed = fs::metadata(path).and_then(|file| file.modified()).ok()?;
    (changed > built).then(|| path.to_owned())
}

/// Reads a Makefile rule `target: source source`, in which `\ ` is a blank within a name.
fn sources(rule: &str) -> Vec<PathBuf> {
    let Some((_, list)) = rule.lines().next().unwrap_or_default().split_once(": ") else { return Vec::new() };
    let mut sources = vec![String::new()];
    let mut letters = list.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek() == Some(&' ') => {
                sources.iter_mut().last().into_iter().for_each(|s| s.push(' '))
            }
            ' ' => sources.push(String::new()),
            _ => sources.iter_mut().last().into_iter().for_each(|s| s.push(letter)),
        }
        if letter == '\\' {
            letters.next();
        }
    }
    sources.into_iter().filter(|source| !source.is_empty()).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn touch(path: &Path, content: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    #[test]
    fn looks_beside_the_test_then_in_the_profiles_then_in_path() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        let elsewhere = folder.path().join("bin");
        let places = Places {
            named: None,
            test_binary: target.join("debug/deps/sched-1234"),
            search: vec![elsewhere.clone()],
        };
        let error = places.find("scx_x").unwrap_err().to_string();
        for place in ["debug/deps/scx_x", "debug/scx_x", "release/scx_x", "bin/scx_x", "KTSTR_SCHEDULER"] {
            assert!(error.contains(place), "{place} in {error}");
        }
        for place in [elsewhere, target.join("release"), target.join("debug")] {
            touch(&place.join("scx_x"), "");
            assert_eq!(places.find("scx_x").unwrap(), place.join("scx_x"));
        }
        let named = Places { named: Some(folder.path().join("nowhere")), ..places };
        assert!(named.find("scx_x").is_err(), "a name that is given is not replaced");
    }

    #[test]
    fn a_name_with_a_dot_is_not_judged_by_another_program_s_sources() {
        let folder = tempfile::tempdir().unwrap();
        let in_target = |name: &str| folder.path().join("target/debug").join(name);
        let (binary, source) = (in_target("scx.v2"), folder.path().join("main.rs"));
        touch(&binary, "");
        touch(&source, "");
        let later = SystemTime::now() + Duration::from_secs(5);
        fs::File::options().write(true).open(&source).unwrap().set_modified(later).unwrap();
        let list = format!("scx: {}\n", source.display());
        touch(&in_target("scx.d"), &list);
        check_fresh(&binary).unwrap();
        touch(&in_target("scx.v2.d"), &list);
        check_fresh(&binary).unwrap_err();
    }

    #[test]
    fn a_program_older_than_its_sources_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target/debug");
        let (binary, source) = (target.join("scx_x"), folder.path().join("a b.rs"));
        let bpf = folder.path().join("bpf");
        touch(&source, "");
        touch(&bpf.join("x.bpf.c"), "");
        touch(&binary, "");
        let escaped = source.display().to_string().replace(' ', "\\ ");
        let generated = target.join("build/x.skel.rs");
        touch(&generated, "");
        let listed = format!("{} {} {escaped}", generated.display(), bpf.display());
        touch(&target.join("scx_x.d"), &format!("{}: {listed}\n", binary.display()));
        let now = SystemTime::now();
        let change = |path: &Path, seconds| {
            let file = fs::File::options().write(true).open(path).unwrap();
            file.set_modified(now + Duration::from_secs(seconds)).unwrap();
        };
        change(&binary, 5);
        check_fresh(&binary).unwrap_or_else(|e| panic!("{e}"));
        change(&generated, 6);
        check_fresh(&binary).unwrap_or_else(|e| panic!("{e}"));
        change(&source, 6);
        let error = check_fresh(&binary).unwrap_err().to_string();
        assert!(error.contains("a b.rs") && error.contains("build it again"), "{error}");
        change(&bpf.join("x.bpf.c"), 6);
        assert!(
            check_fresh(&binary).unwrap_err().to_string().contains("x.bpf.c"),
            "files below a folder count"
        );
    }
}
