//! Choosing a mode, and proving that KVM works before it is relied on.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ktstr_kernel::Sha256Sum;
use ktstr_model::{Mode, ModeChoice, Topology};

use crate::error::VmError;
use crate::identity;
use crate::machine_spec::{MachineSpec, Purpose};
use crate::qemu::Qemu;
use crate::template::{Progress, Template};

/// How long a proof that KVM does not work is believed: hosts get new kernels and settings.
const BELIEVED: Duration = Duration::from_secs(24 * 3600);

/// A mode and why it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenMode {
    /// The mode.
    pub mode: Mode,
    /// Why, in one line; empty when the caller named it.
    pub why: String,
}

/// The mode to use on this host with this kernel.
///
/// `/dev/kvm` proves nothing: on some clouds it is there and cannot run a stock kernel. So KVM counts as working when a
/// template has reached its wait point with it; a failure that speaks of KVM itself is remembered for this host, QEMU and
/// kernel.
///
/// # Errors
/// When the mode that was named cannot be had, or QEMU is too old for the only mode that is left.
pub fn choose_mode(
    cache: &Path,
    qemu: &Qemu,
    kernel: &Path,
    kernel_sha256: &str,
    choice: ModeChoice,
    progress: &mut dyn Progress,
) -> Result<ChosenMode, VmError> {
    if choice == ModeChoice::Deterministic {
        qemu.check(Mode::Deterministic)?;
        return Ok(ChosenMode { mode: Mode::Deterministic, why: String::new() });
    }
    qemu.check(Mode::RealTime)?;
    match (prove_kvm(cache, qemu, kernel, kernel_sha256, progress)?, choice) {
        (Ok(()), ModeChoice::Auto) => {
            Ok(ChosenMode { mode: Mode::RealTime, why: "KVM works here".to_owned() })
        }
        (Ok(()), _) => Ok(ChosenMode { mode: Mode::RealTime, why: String::new() }),
        (Err(failure), ModeChoice::Auto) => {
            qemu.check(Mode::Deterministic)?;
            Ok(ChosenMode { mode: Mode::Deterministic, why: failure.to_string() })
        }
        (Err(Failure { reason, .. }), requested) => Err(VmError::NoKvm { requested, reason }),
    }
}

/// What is known of KVM without another proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownKvm {
    /// A template reached its wait point with it.
    Works,
    /// It cannot be opened, or a proof failed within the last day: why.
    Fails(String),
    /// `/dev/kvm` can be opened, and nobody tried it with this QEMU and kernel.
    Unproved,
}

/// What is known of KVM on this host with this kernel. Boots nothing.
///
/// # Errors
/// When the QEMU cannot be identified.
pub fn known_kvm(cache: &Path, qemu: &Qemu, kernel: &Path, kernel_sha256: &str) -> Result<KnownKvm, VmError> {
    if let Err(reason) = open_kvm() {
        return Ok(KnownKvm::Fails(reason));
    }
    if let Some(reason) = remembered(&memory_of_proof(cache, qemu, kernel_sha256)?, SystemTime::now()) {
        return Ok(KnownKvm::Fails(reason));
    }
    let spec = machine_of_proof(kernel, kernel_sha256);
    Ok(if Template::is_cached(cache, qemu, &spec)? { KnownKvm::Works } else { KnownKvm::Unproved })
}

/// Forgets that a proof failed, so that the next one is made although a day has not passed.
///
/// # Errors
/// When the QEMU cannot be identified.
pub fn forget_kvm(cache: &Path, qemu: &Qemu, kernel_sha256: &str) -> Result<(), VmError> {
    let memory = memory_of_proof(cache, qemu, kernel_sha256)?;
    match fs::remove_file(&memory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(VmError::File { what: "removing", path: memory, source: error })
        }
        _ => Ok(()),
    }
}

fn open_kvm() -> Result<(), String> {
    let opened = fs::OpenOptions::new().read(true).write(true).open("/dev/kvm");
    opened.map(drop).map_err(|error| format!("/dev/kvm: {error}"))
}

fn machine_of_proof(kernel: &Path, kernel_sha256: &str) -> MachineSpec {
    MachineSpec {
        kernel: kernel.to_owned(),
        kernel_sha256: kernel_sha256.to_owned(),
        kargs: Vec::new(),
        // Two LLCs with SMT: host CPU models differ in what guests see of them.
        topology: Topology::of(1, 2, 1, 2),
        memory_mb: 256,
        mode: Mode::RealTime,
        purpose: Purpose::Test,
        disk_mb: 0,
    }
}

/// Whether KVM works, or why it does not.
fn prove_kvm(
    cache: &Path,
    qemu: &Qemu,
    kernel: &Path,
    kernel_sha256: &str,
    progress: &mut dyn Progress,
) -> Result<Result<(), Failure>, VmError> {
    if let Err(reason) = open_kvm() {
        return Ok(Err(Failure { reason, is_lasting: true }));
    }
    let memory = memory_of_proof(cache, qemu, kernel_sha256)?;
    if let Some(reason) = remembered(&memory, SystemTime::now()) {
        return Ok(Err(Failure { reason, is_lasting: true }));
    }
    let spec = machine_of_proof(kernel, kernel_sha256);
    let Err(error) = Template::get(cache, qemu, &spec, progress) else { return Ok(Ok(())) };
    let failure = Failure::of(error)?;
    failure.remember(&memory);
    Ok(Err(failure))
}

/// A proof that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Failure {
    reason: String,
    /// Whether it speaks of KVM itself, and not only of this once.
    is_lasting: bool,
}

impl Failure {
    /// What the error says of KVM; the error itself when it says nothing of it.
    fn of(error: VmError) -> Result<Self, VmError> {
        let (reason, is_lasting) = match error {
            VmError::Boot { how, .. } => (how.to_string(), how.speaks_of_accelerator()),
            VmError::QemuRefused { said } => (said, true),
            VmError::Facts { source, .. } => (source.to_string(), true),
            other => return Err(other),
        };
        Ok(Self { reason: headline(&reason), is_lasting })
    }

    fn remember(&self, memory: &Path) {
        if let Some(folder) = memory.parent().filter(|_| self.is_lasting) {
            // Losing it costs another proof.
            let _ = fs::create_dir_all(folder).and_then(|()| fs::write(memory, &self.reason));
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = if self.is_lasting { "does not work here" } else { "did not work this time" };
        write!(f, "KVM {when}: {}", self.reason)
    }
}

/// The line that tells most: QEMU may have warned of something else before, and an abort says it twice.
fn headline(said: &str) -> String {
    let mut lines = said.lines();
    let first = lines.clone().next();
    lines.find(|line| !line.contains("warning: ")).or(first).unwrap_or_default().to_owned()
}

fn memory_of_proof(cache: &Path, qemu: &Qemu, kernel_sha256: &str) -> Result<PathBuf, VmError> {
    let parts = [identity::of_qemu(cache, qemu)?, kernel_sha256.to_owned(), identity::of_host_cpu()];
    Ok(cache.join("no-kvm").join(&Sha256Sum::of(parts.join("\0").as_bytes()).to_string()[..32]))
}

fn remembered(memory: &Path, now: SystemTime) -> Option<String> {
    let written = fs::metadata(memory).and_then(|file| file.modified()).ok()?;
    let age = now.duration_since(written).unwrap_or_default();
    (age < BELIEVED).then(|| fs::read_to_string(memory).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot_end::BootEnd;
    use crate::machine::Stop;

    #[test]
    fn a_warning_is_no_reason() {
        assert_eq!(
            headline("qemu: warning: 4 CPUs are many\nqemu: no CPUs left\nmore"),
            "qemu: no CPUs left"
        );
        assert_eq!(headline("qemu: warning: 4 CPUs are many"), "qemu: warning: 4 CPUs are many");
        assert_eq!(headline(""), "");
    }

    #[test]
    fn only_what_speaks_of_kvm_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let memory = folder.path().join("no-kvm/x");
        let boot = |how| VmError::Boot {
            mode: Mode::RealTime,
            topology: Topology::of(1, 2, 1, 2),
            how: BootEnd::Stopped(how),
            console: String::new(),
        };
        let gone = |said: &str| boot(Stop::Gone(said.to_owned()));
        let is_remembered = |error: VmError| {
            let failure = Failure::of(error).unwrap();
            failure.remember(&memory);
            let found = remembered(&memory, SystemTime::now());
            let _ = fs::remove_file(&memory);
            found.inspect(|reason| assert_eq!(*reason, failure.reason)).is_some()
        };
        for lasting in [
            boot(Stop::InternalError),
            boot(Stop::Guest),
            boot(Stop::Shutdown("guest-reset".to_owned())),
            gone("kvm: failed to set MSR 0x10a (signal: 6 (SIGABRT) (core dumped))"),
            gone("no KVM (exit status: 1)"),
            VmError::QemuRefused { said: "Could not access KVM kernel module".to_owned() },
        ] {
            let said = format!("{lasting:?}");
            assert!(is_remembered(lasting), "{said}");
        }
        for once in [
            boot(Stop::Deadline("60 s of wall time".to_owned())),
            gone("(signal: 9 (SIGKILL))"),
            gone("qemu: terminating on signal 15 from pid 1 (kill) (exit status: 0)"),
        ] {
            let said = format!("{once:?}");
            assert!(!is_remembered(once), "{said}");
        }
        let once = Failure::of(gone("(signal: 9 (SIGKILL))")).unwrap();
        assert_eq!(once.to_string(), "KVM did not work this time: QEMU ended: (signal: 9 (SIGKILL))");
        assert!(matches!(Failure::of(VmError::Interrupted), Err(VmError::Interrupted)));
    }

    #[test]
    fn a_failed_proof_is_believed_for_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let memory = folder.path().join("x");
        assert_eq!(remembered(&memory, SystemTime::now()), None);
        fs::write(&memory, "MSR 0x10a").unwrap();
        assert_eq!(remembered(&memory, SystemTime::now()).as_deref(), Some("MSR 0x10a"));
        assert_eq!(remembered(&memory, SystemTime::now() + BELIEVED * 2), None);
    }
}
