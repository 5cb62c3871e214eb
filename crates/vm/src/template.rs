//! Templates: machines that have booted to the agent's wait point, kept on disk.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ktstr_guest::AGENT;
use ktstr_kernel::Sha256Sum;
use ktstr_model::{Mode, Topology};
use ktstr_wire::GuestFacts;
use ktstr_wire::layout::{FACTS, MESSAGE, stage, word};
use serde::{Deserialize, Serialize};

use crate::boot_end::BootEnd;
use crate::build_once::{Once, Place, build_once};
use crate::command_line::{self, Files, Role, ram_file};
use crate::disk_room;
use crate::error::VmError;
use crate::eviction::{self, Held};
use crate::host_channel::{self, Input};
use crate::identity;
use crate::lease::{Lease, Share};
use crate::machine::{Deadline, Disk, Machine, Stop};
use crate::machine_size::check_size;
use crate::machine_spec::MachineSpec;
use crate::qemu::Qemu;
use crate::saved::{self, RECORD, STATE};

/// Changes when older template folders cannot be used any more.
const SCHEMA: u32 = 2;
/// Bytes of templates that stay on disk; one takes some 100 to 200 MiB.
const MOST_KEPT: u64 = 8 << 30;
const INITRD: &str = "initrd";
/// Where templates are in the cache.
pub(crate) const TEMPLATES: &str = "templates";

/// What is kept beside a template's RAM and state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    schema: u32,
    key: String,
    topology: Topology,
    mode: Mode,
    memory_mb: u32,
    kernel_release: String,
    sched_ext: bool,
    qemu: String,
    /// Longest time that a spinner, one pinned to each vCPU, waited.
    turn_ns: u64,
    /// Most over least work of those spinners, in thousandths.
    skew_permille: u64,
    built_ms: u64,
    ram_bytes: u64,
    state_sha256: String,
}

/// A template on disk, ready to be cloned.
#[derive(Clone, Debug)]
pub struct Template {
    cache: PathBuf,
    folder: PathBuf,
    record: Record,
    spec: MachineSpec,
    /// Whether this call built it.
    pub fresh: bool,
    _held: Option<Arc<Held>>,
}

/// Told about the slow parts.
pub trait Progress {
    /// A step that takes a while has begun.
    fn slow(&mut self, what: &str);

    /// A machine waited so long until the host had room for it.
    fn waited(&mut self, _time: Duration) {}
}

impl<F: FnMut(&str)> Progress for F {
    fn slow(&mut self, what: &str) {
        self(what);
    }
}

impl Template {
    /// The template for `spec`, built when the cache has none. One process builds, others wait for it.
    ///
    /// # Errors
    /// When the cache cannot be used, the machine cannot be made, or the guest sees another topology.
    pub fn get(
        cache: &Path,
        qemu: &Qemu,
        spec: &MachineSpec,
        progress: &mut dyn Progress,
    ) -> Result<Self, VmError> {
        qemu.check(spec.mode)?;
        saved::check_path(cache)?;
        let key = key(cache, qemu, spec)?;
        let root = cache.join(TEMPLATES);
        let place = Place { root: &root, key: &key, most_kept: MOST_KEPT, needed_mb: most_used_mb(spec) };
        let build = |folder: &Path, progress: &mut dyn Progress| {
            build(cache, folder, &key, qemu, spec, progress).map(Ok::<_, Infallible>)
        };
        match build_once(&place, || find(cache, &key, spec), build, progress)? {
            Once::Found(template) => Ok(template),
            Once::Built { folder, held, record } => {
                let (cache, spec) = (cache.to_owned(), spec.clone());
                Ok(Self { cache, folder, record, spec, fresh: true, _held: held })
            }
            Once::NotBuilt(never) => match never {},
        }
    }

    /// Whether the cache has the template for `spec`.
    pub(crate) fn is_cached(cache: &Path, qemu: &Qemu, spec: &MachineSpec) -> Result<bool, VmError> {
        let key = key(cache, qemu, spec)?;
        Ok(matches!(find(cache, &key, spec), Ok(Some(_))))
    }

    /// Longest time that a spinner waited when one was pinned to each vCPU, in nanoseconds.
    pub fn turn_ns(&self) -> u64 {
        self.record.turn_ns
    }

    /// Most over least work of those spinners, in thousandths.
    pub fn skew_permille(&self) -> u64 {
        self.record.skew_permille
    }

    /// The guest kernel's release.
    pub fn kernel_release(&self) -> &str {
        &self.record.kernel_release
    }

    /// Whether the guest kernel has sched_ext.
    pub fn sched_ext(&self) -> bool {
        self.record.sched_ext
    }

    /// What identifies it: a hash of everything that shaped it.
    pub fn key(&self) -> &str {
        &self.record.key
    }

    /// How long building it took.
    pub fn built_in(&self) -> Duration {
        Duration::from_millis(self.record.built_ms)
    }

    pub(crate) fn spec(&self) -> &MachineSpec {
        &self.spec
    }

    /// What identifies the saved machine: two of one key may differ by when they were saved.
    pub(crate) fn state_sha256(&self) -> &str {
        &self.record.state_sha256
    }

    /// Bytes of the disk that its RAM takes.
    pub(crate) fn ram_bytes(&self) -> u64 {
        self.record.ram_bytes
    }

    /// The cache that it is in.
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn initrd(&self) -> PathBuf {
        self.folder.join(INITRD)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join(STATE)
    }
}

/// Hashes everything that shapes a template: the command line with contents in place of paths, and QEMU itself.
fn key(cache: &Path, qemu: &Qemu, spec: &MachineSpec) -> Result<String, VmError> {
    check_size(qemu, &spec.topology, spec.mode)?;
    let pathless = MachineSpec { kernel: PathBuf::from(&spec.kernel_sha256), ..spec.clone() };
    let files = Files {
        ram: Path::new("ram"),
        initrd: Path::new("agent"),
        channel: "channel",
        console: "console",
        control_fd: 0,
        line_fd: 0,
        disk: "disk",
    };
    let mut parts = command_line::arguments(qemu, &pathless, Role::Template, files);
    parts.push(Sha256Sum::of(AGENT).to_string());
    parts.push(identity::of_qemu(cache, qemu)?);
    if spec.mode == Mode::RealTime {
        parts.push(identity::of_host_cpu());
    }
    parts.push(SCHEMA.to_string());
    Ok(Sha256Sum::of(parts.join("\0").as_bytes()).to_string()[..32].to_owned())
}

/// The template in `cache` if there is one; the reason when what is there cannot be used.
fn find(cache: &Path, key: &str, spec: &MachineSpec) -> Result<Option<Template>, String> {
    let folder = cache.join(TEMPLATES).join(key);
    let held = eviction::hold(&folder).map(Arc::new);
    let text = match fs::read(folder.join(RECORD)) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound && !folder.exists() => return Ok(None),
        Err(e) => return Err(format!("{RECORD}: {e}")),
    };
    let record: Record = serde_json::from_slice(&text).map_err(|e| format!("{RECORD}: {e}"))?;
    if record.schema != SCHEMA || record.key != key {
        return Err("it was made for another machine".to_owned());
    }
    saved::check_files(&folder, spec, &record.state_sha256)?;
    if !folder.join(INITRD).is_file() {
        return Err(format!("{INITRD} is missing"));
    }
    let (cache, spec) = (cache.to_owned(), spec.clone());
    Ok(Some(Template { cache, folder, record, spec, fresh: false, _held: held }))
}

/// A booted guest uses up to this much of its RAM file, whatever its size; measured 130 MiB with 4 CPUs.
fn most_used_mb(spec: &MachineSpec) -> u64 {
    u64::from(spec.memory_mb.min(200 + 2 * spec.topology.cpus()))
}

/// Boots one in `folder`.
fn build(
    cache: &Path,
    folder: &Path,
    key: &str,
    qemu: &Qemu,
    spec: &MachineSpec,
    progress: &mut dyn Progress,
) -> Result<Record, VmError> {
    let lease = Lease::take(cache, Share::of(spec), progress)?;
    progress.slow(&format!(
        "booting a {} template of {}: once for this kernel and machine",
        spec.clock(),
        spec.topology
    ));
    let began = Instant::now();
    let initrd = folder.join(INITRD);
    fs::write(&initrd, initramfs()).map_err(VmError::file("writing", initrd.clone()))?;
    let disk = Disk { ram: folder, initrd: &initrd };
    let channel = host_channel::create(Input::default())?;
    let mut machine = Machine::start(qemu, spec, Role::Template, &disk, channel, lease, progress)?;
    let stop = machine.wait_stop(boot_deadline(spec))?;
    if disk_room::was_full(&stop) {
        return Err(disk_room::full(folder, 0, most_used_mb(spec)));
    }
    let facts = wait_point(&mut machine, spec, stop)?;

    let state_sha256 = saved::save_state(&mut machine, qemu, spec, folder)?;
    let ram_bytes =
        (0..spec.topology.memory_nodes()).map(|node| used_bytes(&folder.join(ram_file(node)))).sum();
    Ok(Record {
        schema: SCHEMA,
        key: key.to_owned(),
        topology: spec.topology,
        mode: spec.mode,
        memory_mb: spec.memory_mb,
        kernel_release: facts.release,
        sched_ext: facts.sched_ext,
        qemu: qemu.version.to_string(),
        turn_ns: facts.turn_ns,
        skew_permille: facts.skew_permille,
        built_ms: began.elapsed().as_millis() as u64,
        ram_bytes,
        state_sha256,
    })
}

fn initramfs() -> Vec<u8> {
    let mut archive = Vec::new();
    let mut init = cpio::newc::Builder::new("init").mode(0o100755).write(&mut archive, AGENT.len() as u32);
    // Writing to memory does not fail.
    let _ = io::Write::write_all(&mut init, AGENT);
    let _ = init.finish();
    let _ = cpio::newc::trailer(&mut archive);
    archive
}

/// Generous: a 64-CPU machine took 34 s on two cores, and the host may be ten times as busy.
fn boot_deadline(spec: &MachineSpec) -> Deadline {
    match spec.mode {
        Mode::RealTime => {
            Deadline { cpu: None, wall: Duration::from_secs(60), more_before_test: Duration::ZERO }
        }
        Mode::Deterministic => {
            let cpu = Duration::from_secs(120 + 6 * u64::from(spec.topology.cpus()));
            Deadline { cpu: Some(cpu), wall: cpu * 10, more_before_test: Duration::ZERO }
        }
    }
}

/// Checks that the machine stopped at the wait point and that the guest sees what was asked for.
fn wait_point(machine: &mut Machine, spec: &MachineSpec, stop: Stop) -> Result<GuestFacts, VmError> {
    let reached = if stop == Stop::Guest { machine.stage() } else { stage::BOOTING };
    if reached != stage::WAITING {
        let how = match reached {
            stage::FAILED => {
                let message = machine.channel().area(MESSAGE, word::MESSAGE_LEN)?;
                BootEnd::Agent(String::from_utf8_lossy(&message).into_owned())
            }
            _ => BootEnd::Stopped(stop),
        };
        let (mode, topology) = (spec.mode, spec.topology);
        return Err(VmError::Boot { mode, topology, how, console: machine.console() });
    }
    let text = machine.channel().area(FACTS, word::FACTS_LEN)?;
    let wrong = |source| VmError::Facts { topology: spec.topology, source };
    let facts = GuestFacts::parse(&String::from_utf8_lossy(&text)).map_err(wrong)?;
    facts.check(&spec.topology).map_err(wrong)?;
    Ok(facts)
}

fn used_bytes(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).map_or(0, |file| file.blocks() * 512)
}
