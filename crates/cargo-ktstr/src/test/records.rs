//! Where the records of a run go, and reading them back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use ktstr_results::{Record, RecordFolder, read_record};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What a file's time may lag behind the clock.
const SLACK: Duration = Duration::from_secs(2);

/// What cargo says of the workspace.
#[derive(Debug, Deserialize)]
pub struct Workspace {
    /// Its folder.
    pub workspace_root: PathBuf,
    /// Where it is built.
    pub target_directory: PathBuf,
    /// Its packages.
    pub packages: Vec<WorkspacePackage>,
}

/// A package of the workspace.
#[derive(Debug, Deserialize)]
pub struct WorkspacePackage {
    /// Its name.
    pub name: String,
    /// Its Cargo.toml.
    pub manifest_path: PathBuf,
}

impl Workspace {
    /// The package that cargo and nextest choose in `folder` when they are told of none: `None` in the workspace's own
    /// folder, where they take its default ones.
    pub fn package_chosen_in(&self, folder: &Path) -> Option<&str> {
        let root = |package: &&WorkspacePackage| package.manifest_path.parent() == Some(&self.workspace_root);
        let holds = |package: &&WorkspacePackage| {
            package.manifest_path.parent().is_some_and(|own| folder.starts_with(own))
        };
        let deepest = |package: &&WorkspacePackage| package.manifest_path.components().count();
        let inside = self.packages.iter().filter(|package| !root(package));
        inside.filter(holds).max_by_key(deepest).map(|package| package.name.as_str())
    }

    /// Asks cargo, which is told what nextest was told: `flags` are those that concern the build.
    ///
    /// # Errors
    /// When cargo does not know the workspace either.
    pub fn of(flags: &[String]) -> Result<Self> {
        let (own, target) = metadata_flags(flags);
        let mut command = super::cargo();
        command.args(["metadata", "--no-deps", "--format-version", "1"]).args(own);
        let output = command.output().context("running `cargo metadata`")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("cargo knows of no workspace here: {}", said.trim().trim_start_matches("error: "));
        }
        let mut workspace: Self =
            serde_json::from_slice(&output.stdout).context("cargo's description of the workspace")?;
        if let Some(target) = target {
            workspace.target_directory = std::path::absolute(target)?;
        }
        Ok(workspace)
    }
}

/// The flags that `cargo metadata` takes too, and the value of `--target-dir`, which it does not take.
fn metadata_flags(flags: &[String]) -> (Vec<&String>, Option<&String>) {
    const ALONE: [&str; 3] = ["--locked", "--offline", "--frozen"];
    const WITH_VALUE: [&str; 3] = ["--manifest-path", "--config", "-Z"];
    let (mut own, mut target) = (Vec::new(), None);
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        match flag.as_str() {
            alone if ALONE.contains(&alone) => own.push(flag),
            with if WITH_VALUE.contains(&with) => {
                own.extend([Some(flag), flags.next()].into_iter().flatten())
            }
            "--target-dir" => target = flags.next(),
            _ => {}
        }
    }
    (own, target)
}

/// What a program of cargo's printed on stdout; its stderr is the user's.
pub fn stdout(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.stderr(std::process::Stdio::inherit()).output();
    let output = output.with_context(|| format!("running {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed");
    }
    Ok(output.stdout)
}

/// The folders of records.
pub struct Records(RecordFolder);

/// The folder that `KTSTR_SIDECAR_DIR` names.
pub fn named_folder() -> Option<RecordFolder> {
    let folder = std::env::var_os(RecordFolder::FIXED_VARIABLE).filter(|folder| !folder.is_empty())?;
    // Tests run in the folders of their packages.
    Some(RecordFolder::Fixed(std::path::absolute(&folder).unwrap_or(folder.into())))
}

/// The folder that a workspace has.
pub fn folder_of(workspace: &Workspace) -> RecordFolder {
    RecordFolder::Below(workspace.target_directory.join("ktstr"))
}

impl Records {
    /// `KTSTR_SIDECAR_DIR`, else `ktstr` in the target folder.
    pub fn of(workspace: &Workspace) -> Self {
        Self(named_folder().unwrap_or_else(|| folder_of(workspace)))
    }

    /// Tells test processes. By the paths of their binaries alone they would look elsewhere when those were built for a
    /// target that was named: in `target/TARGET/PROFILE`.
    pub fn tell(&self, command: &mut Command) {
        command.env(self.0.variable(), self.0.root());
    }

    /// Where they are.
    pub fn root(&self) -> &Path {
        self.0.root()
    }

    /// Says so when no records can be kept there. Verdicts stand without them.
    pub fn warn_if_unwritable(&self) {
        let root = self.root();
        let tried = fs::create_dir_all(root).and_then(|()| tempfile::tempfile_in(root));
        if let Err(error) = tried {
            eprintln!(
                "ktstr: no records can be kept in {}, so there will be no summary: {error}; name another folder in \
                 KTSTR_SIDECAR_DIR",
                root.display()
            );
        }
    }

    /// The records of the runs that one command made since `began`, the earliest first.
    pub fn of_invocation(&self, id: &str, began: SystemTime) -> Vec<Record> {
        let mut records: Vec<Record> = self.read(Some(began));
        records.retain(|record| record.invocation.as_deref() == Some(id));
        records.sort_by_key(|record| record.began_unix_ms);
        records
    }

    /// All records, as far as `T` reads them, of those written since a time. What cannot be read is passed over: this is
    /// not where its owner would look for that.
    pub fn read<T: DeserializeOwned>(&self, since: Option<SystemTime>) -> Vec<T> {
        let is_recent = |path: &Path| {
            let written = fs::metadata(path).and_then(|file| file.modified());
            written.is_ok_and(|written| since.is_none_or(|since| written + SLACK >= since))
        };
        let runs = self.0.runs().unwrap_or_default();
        let paths = runs.iter().flat_map(|run| run.record_paths().unwrap_or_default());
        paths.filter(|path| is_recent(path)).filter_map(|path| read_record(&path).ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn the_records_of_one_command_are_found_among_others() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records(RecordFolder::Below(folder.path().to_owned()));
        let write = |folder: &str, name: &str, id: Option<&str>, began_unix_ms| {
            let mut record = Record::begun(name.to_owned(), "eevdf", 1);
            (record.invocation, record.began_unix_ms) = (id.map(str::to_owned), began_unix_ms);
            record.write(&records.root().join(folder), Default::default()).unwrap();
        };
        write("a-1", "late", Some("x"), 7);
        write("a-1", "other", Some("y"), 5);
        write("a-1", "alone", None, 5);
        write("b-1", "early", Some("x"), 3);
        fs::write(records.root().join("b-1/broken.json"), "{").unwrap();
        let names = |began| -> Vec<String> {
            records.of_invocation("x", began).into_iter().map(|record| record.test).collect()
        };
        assert_eq!(names(SystemTime::now()), ["early", "late"]);
        assert_eq!(names(SystemTime::now() + Duration::from_secs(60)), [""; 0]);
    }

    #[test]
    fn test_processes_are_told_where_records_are_looked_for() {
        let told = |folder: RecordFolder| {
            let mut command = Command::new("true");
            Records(folder).tell(&mut command);
            let set = |(name, value): (&OsStr, Option<&OsStr>)| (name.to_owned(), value.map(OsStr::to_owned));
            command.get_envs().map(set).collect::<Vec<_>>()
        };
        let workspace =
            Workspace { workspace_root: "/w".into(), target_directory: "/t".into(), packages: Vec::new() };
        assert_eq!(told(folder_of(&workspace)), [("KTSTR_RUNS_DIR".into(), Some("/t/ktstr".into()))]);
        assert_eq!(told(RecordFolder::Fixed("/r".into())), [("KTSTR_SIDECAR_DIR".into(), Some("/r".into()))]);
    }

    #[test]
    fn cargo_metadata_is_told_what_it_takes() {
        let flags = ["--features", "a", "--target-dir", "/x", "--locked", "--manifest-path", "m/Cargo.toml"];
        let flags = flags.map(str::to_owned);
        let (own, target) = metadata_flags(&flags);
        assert_eq!(own, ["--locked", "--manifest-path", "m/Cargo.toml"]);
        assert_eq!(target.map(String::as_str), Some("/x"));
    }
}
