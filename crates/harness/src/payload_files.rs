//! The programs of external workloads: found on this host, and where they are in the guest.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ktstr_checks::check_payload;
use ktstr_host::package_of;
use ktstr_model::{Payload, PayloadOrder, TestSpec};

use crate::error::HarnessError;
use crate::plan::{check_exists, include_path};
use crate::scheduler_file::{Places, check_fresh};

/// Where the guest has them.
const PAYLOAD_FOLDER: &str = "/ktstr/payloads";
/// Folders of programs that ordinary users may not have in `PATH`.
const ROOTS_FOLDERS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// What a test's external programs need.
#[derive(Debug, Default)]
pub(crate) struct PayloadFiles {
    /// What the guest is told.
    pub orders: Vec<PayloadOrder>,
    /// The programs, here and there.
    pub programs: Vec<(PathBuf, String)>,
    /// Files that they read, here and there.
    pub files: Vec<(PathBuf, String)>,
}

impl PayloadFiles {
    /// Those of the programs that `spec` names.
    ///
    /// # Errors
    /// When what is said of one makes no sense, when two have one name, or when a program or file is not here.
    pub(crate) fn of(spec: &TestSpec, places: &Places) -> Result<Self, HarnessError> {
        let mut all = Self::default();
        let mut seen: BTreeMap<&str, &Payload> = BTreeMap::new();
        for payload in spec.payloads() {
            check_payload(payload)?;
            match seen.insert(payload.name, payload) {
                // One that is named twice.
                Some(other) if other == payload => continue,
                Some(_) => {
                    return Err(HarnessError::Config(format!(
                        "the test names two payloads that are called `{}`: give each a name of its own",
                        payload.name
                    )));
                }
                None => {}
            }
            all.add(spec, payload, places)?;
        }
        Ok(all)
    }

    fn add(&mut self, spec: &TestSpec, payload: &Payload, places: &Places) -> Result<(), HarnessError> {
        let host = find(spec, payload, places)?;
        let guest = format!("{PAYLOAD_FOLDER}/{}", host.file_name().unwrap_or_default().to_string_lossy());
        self.orders.push(order(spec, payload, Some(guest.clone())));
        self.programs.push((host, guest));
        for path in payload.include_files {
            let host = Path::new(spec.manifest_dir).join(path);
            check_exists("include_files of a payload:", &host)?;
            let guest = include_path(&host);
            self.files.push((host, guest));
        }
        Ok(())
    }

    /// The same for a body that runs on this host.
    pub(crate) fn on_host(self) -> Vec<PayloadOrder> {
        let with_paths = self.orders.into_iter().zip(self.programs);
        with_paths
            .map(|(order, (host, _))| PayloadOrder {
                path: Some(host.to_string_lossy().into_owned()),
                ..order
            })
            .collect()
    }
}

/// The payloads of a test one of which was not found.
pub(crate) fn all_here_but(spec: &TestSpec, missing: &str) -> Vec<PayloadOrder> {
    let path = |name: &str| (name != missing).then(|| PAYLOAD_FOLDER.to_owned());
    spec.payloads().map(|payload| order(spec, payload, path(payload.name))).collect()
}

fn order(spec: &TestSpec, payload: &Payload, path: Option<String>) -> PayloadOrder {
    let [name, program] = [payload.name, payload.program].map(str::to_owned);
    PayloadOrder { name, program, path, primary: spec.payload == Some(payload) }
}

fn find(spec: &TestSpec, payload: &Payload, places: &Places) -> Result<PathBuf, HarnessError> {
    let program = payload.program;
    let candidates = if program.contains('/') {
        vec![Path::new(spec.manifest_dir).join(program)]
    } else {
        let mut candidates = places.candidates(program);
        let more = ROOTS_FOLDERS.iter().map(|folder| Path::new(folder).join(program));
        let more: Vec<PathBuf> = more.filter(|path| !candidates.contains(path)).collect();
        candidates.extend(more);
        candidates
    };
    let Some(found) = candidates.iter().find(|path| path.is_file()) else {
        let advice = package_of(program).unwrap_or_else(|| "install it, or build it".to_owned());
        let (payload, program) = (payload.name, program);
        return Err(HarnessError::NoPayload { payload, program, looked_at: candidates, advice });
    };
    check_fresh(found)?;
    if !is_elf(found) {
        return Err(HarnessError::PayloadNoProgram { payload: payload.name, path: found.clone() });
    }
    Ok(found.clone())
}

/// Whether the kernel alone can start it. For a script it would need an interpreter, which guests do not have.
fn is_elf(path: &Path) -> bool {
    let mut magic = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *b"\x7fELF"
}

#[cfg(test)]
mod tests {
    use super::*;

    static TRUE: Payload = Payload::binary("true", "true");

    fn places(folder: &Path) -> Places {
        Places {
            named: None,
            test_binary: folder.join("debug/deps/sched-1"),
            search: vec![folder.join("bin"), "/usr/bin".into()],
        }
    }

    fn of(spec: &TestSpec, folder: &Path) -> Result<PayloadFiles, String> {
        PayloadFiles::of(spec, &places(folder)).map_err(|error| error.to_string())
    }

    fn naming(payload: &'static Payload) -> TestSpec {
        TestSpec { payload: Some(payload), ..TestSpec::new("t", "m") }
    }

    #[test]
    fn programs_are_found_and_told_apart_by_which_the_test_is_about() {
        static FALSE: Payload = Payload::binary("false", "false").include_files(&["data"]);
        static BOTH: &[&Payload] = &[&FALSE, &TRUE];
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("data"), "x").unwrap();
        let manifest_dir: &'static str = Box::leak(folder.path().display().to_string().into_boxed_str());
        let spec = TestSpec { workloads: BOTH, manifest_dir, ..naming(&TRUE) };
        let files = of(&spec, folder.path()).unwrap();
        let told: Vec<_> = files
            .orders
            .iter()
            .map(|order| (order.name.as_str(), order.path.as_deref().unwrap(), order.primary))
            .collect();
        assert_eq!(told, [("true", "/ktstr/payloads/true", true), ("false", "/ktstr/payloads/false", false)]);
        assert_eq!(files.programs[0].0, Path::new("/usr/bin/true"));
        assert_eq!(files.files, [(folder.path().join("data"), "/include-files/data".to_owned())]);
        assert_eq!(files.on_host()[1].path.as_deref(), Some("/usr/bin/false"));
        let elsewhere = TestSpec { manifest_dir: "/nowhere", ..spec };
        assert!(of(&elsewhere, folder.path()).unwrap_err().contains("/nowhere/data"));
    }

    #[test]
    fn a_program_that_is_nowhere_is_told_with_the_places_and_its_package() {
        static HACKBENCH: Payload = Payload::binary("messages", "hackbench");
        static OWN: Payload = Payload::binary("own", "my_load");
        static RELATIVE: Payload = Payload::binary("rel", "./load");
        let folder = tempfile::tempdir().unwrap();
        let places = Places { search: vec![folder.path().join("bin")], ..places(folder.path()) };
        let says = |payload| {
            let spec = TestSpec { manifest_dir: "/crate", ..naming(payload) };
            PayloadFiles::of(&spec, &places).map(|files| files.orders).unwrap_err().to_string()
        };
        // On a host that has it for root, it would be found.
        if !Path::new("/usr/sbin/hackbench").exists() {
            let error = says(&HACKBENCH);
            assert!(error.starts_with(
                "payload `messages`: its program `hackbench` was not found; looked for it at\n"
            ));
            assert!(error.contains("/bin/hackbench") && error.contains("/usr/sbin/hackbench"), "{error}");
            assert!(
                error.ends_with("the Debian package rt-tests brings it: apt-get install rt-tests"),
                "{error}"
            );
        }
        assert!(says(&OWN).ends_with("install it, or build it"));
        assert!(says(&RELATIVE).contains("/crate/./load"));
    }

    #[test]
    fn what_guests_cannot_start_is_refused() {
        static SCRIPT: Payload = Payload::binary("script", "/etc/passwd");
        let folder = tempfile::tempdir().unwrap();
        let error = of(&naming(&SCRIPT), folder.path()).unwrap_err();
        assert!(error.starts_with("payload `script`: /etc/passwd is no ELF program"), "{error}");
        static NAMELESS: Payload = Payload::binary("", "true");
        assert!(of(&naming(&NAMELESS), folder.path()).unwrap_err().contains("has no name"));
        static OTHER: Payload = Payload::binary("true", "false");
        static OTHERS: &[&Payload] = &[&OTHER];
        let twice = TestSpec { workloads: OTHERS, ..naming(&TRUE) };
        assert!(of(&twice, folder.path()).unwrap_err().contains("two payloads that are called `true`"));
    }
}
