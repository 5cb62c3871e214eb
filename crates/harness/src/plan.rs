//! From a declaration to a run that can be carried out.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ktstr_kernel::{Kernel, KernelConfig};
use ktstr_model::{
    Assert, Mode, RunOrder, SchedulerLaunch, SchedulerOrder, SchedulerSpec, TestSpec, Topology,
};
use ktstr_results::Plan;
use ktstr_vm::{MachineSpec, Payload, Purpose};
use ktstr_wire::layout::TEST_BINARY;
use serde::{Deserialize, Serialize};

use crate::error::HarnessError;
use crate::payload_files::PayloadFiles;
use crate::scheduler_file::{Places, check_fresh};

/// Guest time for a scheduler to become enabled. scx_lavd takes up to 75 s under TCG.
const ENABLE_TIMEOUT_NS: u64 = 120_000_000_000;
/// The same in the verifier sweep. A program that reaches the verifier's limit is verified again and again by libbpf, each
/// time with room for a log of twice the size.
const SWEEP_ENABLE_TIMEOUT_NS: u64 = 900_000_000_000;
/// Guest time between letting workers go and measuring.
const SETTLE_NS: u64 = 500_000_000;
/// Where the guest has a scheduler's program.
const SCHEDULER_FOLDER: &str = "/ktstr/bin";
/// What a guest's kernel needs built in to use its disk.
const DISK_DRIVERS: [&str; 3] = ["VIRTIO_PCI", "VIRTIO_BLK", "EXT4_FS"];
/// Where the guest has included files.
const INCLUDE_FOLDER: &str = "/include-files";

/// A run that can be carried out: plain data, but for the files that are read when it is packed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunPlan {
    /// The machine.
    pub machine: MachineSpec,
    /// What the guest is told, complete but for what only the template knows.
    pub order: RunOrder,
    /// Files for the guest: where they are here, where they shall be there.
    pub files: Vec<(PathBuf, String)>,
    /// The scheduler's program here and there.
    pub scheduler: Option<(PathBuf, String)>,
    /// The programs of external workloads, here and there.
    pub payloads: Vec<(PathBuf, String)>,
    /// Small files with their content.
    pub texts: Vec<(String, String)>,
    /// Whether the topology is another than the test's or its cell's own, because it was named.
    pub topology_named: bool,
    /// The deadline of a guest that hangs, in seconds, where another than ktstr's own is asked for: of QEMU's CPU time in
    /// deterministic mode, of wall time in real time.
    pub deadline_s: Option<u64>,
}

impl RunPlan {
    /// Plans a run of `spec` on `kernel`.
    ///
    /// # Errors
    /// When the declaration asks for what is not here.
    pub fn new(
        spec: &TestSpec,
        kernel: &Kernel,
        mode: Mode,
        seed: u64,
        places: &Places,
    ) -> Result<Self, HarnessError> {
        let topology = spec.resolved_topology()?;
        check_disk(spec, kernel, mode)?;
        let mut plan = Self {
            machine: machine(spec, kernel, topology, mode),
            order: order(spec, topology, mode, seed),
            files: include_files(spec)?,
            scheduler: None,
            payloads: Vec::new(),
            texts: Vec::new(),
            topology_named: false,
            deadline_s: None,
        };
        check_slow_tier(&plan.order.assert, topology, spec.scheduler.name)?;
        plan.bring_payloads(spec, places)?;
        if let Some(config) = kernel.config_text()? {
            plan.texts.push((format!("/boot/config-{}", kernel.release), config));
        }
        plan.bring_scheduler(spec, kernel, places)?;
        Ok(plan)
    }

    fn bring_payloads(&mut self, spec: &TestSpec, places: &Places) -> Result<(), HarnessError> {
        let PayloadFiles { orders, programs, files } = PayloadFiles::of(spec, places)?;
        self.order.payloads = orders;
        self.payloads = programs;
        self.files.extend(files);
        Ok(())
    }

    fn bring_scheduler(
        &mut self,
        spec: &TestSpec,
        kernel: &Kernel,
        places: &Places,
    ) -> Result<(), HarnessError> {
        let scheduler = spec.scheduler;
        let name = scheduler.name.to_owned();
        let launch = match scheduler.binary {
            SchedulerSpec::Eevdf => {
                return match spec.config {
                    Some(_) => Err(no_config_place(spec)),
                    None => Ok(()),
                };
            }
            SchedulerSpec::KernelBuiltin { enable, disable } => {
                SchedulerLaunch::Builtin { enable: owned(enable), disable: owned(disable) }
            }
            SchedulerSpec::Discover(program) => self.program(spec, places.find(program)?)?,
            SchedulerSpec::Path(path) => {
                let path = Path::new(spec.manifest_dir).join(path);
                if !path.is_file() {
                    return Err(HarnessError::NoScheduler { name, looked_at: vec![path] });
                }
                check_fresh(&path)?;
                self.program(spec, path)?
            }
        };
        if scheduler.is_bpf() && kernel.sched_ext == Some(false) {
            let (release, image) = (kernel.release.clone(), kernel.image.clone());
            return Err(HarnessError::NoSchedExt { release, image, scheduler: name });
        }
        let enable_timeout_ns = if spec.read_bpf { SWEEP_ENABLE_TIMEOUT_NS } else { ENABLE_TIMEOUT_NS };
        let read_bpf = spec.read_bpf;
        self.order.scheduler = Some(SchedulerOrder { name, launch, enable_timeout_ns, read_bpf });
        Ok(())
    }

    fn program(&mut self, spec: &TestSpec, binary: PathBuf) -> Result<SchedulerLaunch, HarnessError> {
        let scheduler = spec.scheduler;
        let file_name = binary.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = format!("{SCHEDULER_FOLDER}/{file_name}");
        let mut args = Vec::new();
        if let Some(config) = scheduler.config_file {
            let host = Path::new(spec.manifest_dir).join(config);
            let guest = include_path(&host);
            check_exists("config_file", &host)?;
            args.extend(["--config".to_owned(), guest.clone()]);
            self.files.push((host, guest));
        }
        match (scheduler.config_file_def, spec.config) {
            (Some(def), Some(config)) => {
                args.extend(def.arg.split_whitespace().map(|word| word.replace("{file}", def.guest_path)));
                self.texts.push((def.guest_path.to_owned(), config.to_owned()));
            }
            (None, Some(_)) => return Err(no_config_place(spec)),
            (Some(_), None) => {
                return Err(HarnessError::Config(format!(
                    "scheduler `{}` takes its configuration from each test (config_file_def), but this test has no \
                     `config`: add one",
                    scheduler.name
                )));
            }
            (None, None) => {}
        }
        if let Some(parent) = scheduler.cgroup_parent {
            args.extend(["--cell-parent-cgroup".to_owned(), parent.to_owned()]);
        }
        args.extend(owned(scheduler.sched_args));
        args.extend(owned(spec.extra_sched_args));
        self.scheduler = Some((binary, path.clone()));
        Ok(SchedulerLaunch::Program { path, args })
    }

    /// Two files of one name would be one in the guest.
    fn check_names(&self) -> Result<(), HarnessError> {
        let mut seen: HashMap<&str, &Path> = HashMap::new();
        for (host, guest) in self.files.iter().chain(&self.payloads) {
            if let Some(other) = seen.insert(guest, host).filter(|other| *other != host) {
                let (other, host) = (other.display(), host.display());
                return Err(HarnessError::Config(format!(
                    "{other} and {host} would both be {guest} in the guest: rename one"
                )));
            }
        }
        Ok(())
    }

    /// What a record keeps of a run of this plan whose guest was told `order`.
    pub(crate) fn recorded(&self, order: RunOrder) -> Plan {
        Plan {
            order,
            kargs: self.machine.kargs.clone(),
            memory_mb: self.machine.memory_mb,
            topology_named: self.topology_named,
            deadline_s: self.deadline_s,
        }
    }

    /// Reads the files and packs them.
    ///
    /// # Errors
    /// When a file cannot be read or lacks a library, or when all of them are too large for the guest.
    pub fn pack(&self, test_binary: &Path) -> Result<Payload, HarnessError> {
        let mut payload = Payload::default();
        self.add_to(&mut payload, test_binary)?;
        payload.check_fits(self.machine.memory_mb)?;
        Ok(payload)
    }

    /// Adds the files to what else a guest is to get.
    ///
    /// # Errors
    /// When a file cannot be read or lacks a library.
    pub fn add_to(&self, payload: &mut Payload, test_binary: &Path) -> Result<(), HarnessError> {
        self.check_names()?;
        payload.add_program(test_binary, TEST_BINARY)?;
        if let Some((host, guest)) = &self.scheduler {
            payload.add_program(host, guest)?;
        }
        for (host, guest) in &self.payloads {
            payload.add_program(host, guest)?;
        }
        for (host, guest) in &self.files {
            payload.add_path(host, guest)?;
        }
        for (guest, text) in &self.texts {
            payload.add_bytes(guest, 0o644, text.clone().into_bytes());
        }
        Ok(())
    }

    /// Where the guest has the files that the declaration names.
    pub fn guest_paths(&self) -> impl Iterator<Item = &str> {
        let named = self.files.iter().chain(&self.payloads).chain(&self.scheduler);
        named.map(|(_, guest)| guest.as_str()).chain(self.texts.iter().map(|(guest, _)| guest.as_str()))
    }
}

/// A disk completes its requests in threads of the host, and takes drivers that a kernel may have as modules only.
fn check_disk(spec: &TestSpec, kernel: &Kernel, mode: Mode) -> Result<(), HarnessError> {
    if spec.disk_mb == 0 {
        return Ok(());
    }
    if mode == Mode::Deterministic {
        return Err(HarnessError::DiskInDeterministicMode);
    }
    let Some(config) = kernel.config_text()? else { return Ok(()) };
    let config: KernelConfig = config.parse()?;
    match missing_disk_driver(&config) {
        Some(missing) => Err(HarnessError::NoDiskDriver { release: kernel.release.clone(), missing }),
        None => Ok(()),
    }
}

/// A check of slow memory would find nothing to judge in any run.
fn check_slow_tier(assert: &Assert, topology: Topology, scheduler: &str) -> Result<(), HarnessError> {
    if assert.max_slow_tier_ratio.is_none() || topology.memory_only_nodes() > 0 {
        return Ok(());
    }
    Err(HarnessError::Config(format!(
        "`max_slow_tier_ratio` needs a machine with nodes of memory only, and those of scheduler `{scheduler}` ({topology}) have \
         none: add `memory_only_nodes` to its declaration, or leave the check out"
    )))
}

fn missing_disk_driver(config: &KernelConfig) -> Option<&'static str> {
    DISK_DRIVERS.into_iter().find(|symbol| config.get(symbol) != Some("y"))
}

fn machine(spec: &TestSpec, kernel: &Kernel, topology: Topology, mode: Mode) -> MachineSpec {
    MachineSpec {
        kernel: kernel.image.clone(),
        kernel_sha256: kernel.image_sha256.to_string(),
        kargs: owned(spec.scheduler.kargs),
        topology,
        memory_mb: spec.guest_memory_mb(&topology),
        mode,
        purpose: Purpose::Test,
        disk_mb: spec.disk_mb,
    }
}

/// What the guest is told, but for the scheduler and the template's turn.
pub(crate) fn order(spec: &TestSpec, topology: Topology, mode: Mode, seed: u64) -> RunOrder {
    let sysctls = spec.scheduler.sysctls.iter();
    RunOrder {
        seed,
        duration_ns: u64::from(spec.duration_s) * 1_000_000_000,
        settle_ns: SETTLE_NS,
        // Two cgroups fill the machine.
        workers_per_cgroup: (topology.cpus() / 2).max(1),
        sysctls: sysctls.map(|sysctl| (sysctl.key.to_owned(), sysctl.value.to_owned())).collect(),
        cgroup_parent: spec.scheduler.cgroup_parent.map(str::to_owned),
        assert: Assert::default_checks().merge(&spec.scheduler.assert).merge(&spec.assert),
        has_disk: spec.disk_mb > 0,
        ..RunOrder::plain(spec.path(), topology, mode)
    }
}

fn include_files(spec: &TestSpec) -> Result<Vec<(PathBuf, String)>, HarnessError> {
    let with_places = spec.extra_include_files.iter().map(|path| {
        let host = Path::new(spec.manifest_dir).join(path);
        check_exists("extra_include_files", &host)?;
        let guest = include_path(&host);
        Ok((host, guest))
    });
    with_places.collect()
}

pub(crate) fn check_exists(what: &'static str, path: &Path) -> Result<(), HarnessError> {
    match std::fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(source) => Err(HarnessError::File { what, path: path.to_owned(), source }),
    }
}

pub(crate) fn include_path(host: &Path) -> String {
    format!("{INCLUDE_FOLDER}/{}", host.file_name().unwrap_or_default().to_string_lossy())
}

fn no_config_place(spec: &TestSpec) -> HarnessError {
    HarnessError::Config(format!(
        "the test has a `config`, but scheduler `{}` has no config_file_def that says how it takes one",
        spec.scheduler.name
    ))
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_of_slow_memory_wants_some() {
        let assert = Assert::NO_OVERRIDES.max_slow_tier_ratio(0.5);
        let topology = Topology::of(1, 2, 1, 1);
        let error = check_slow_tier(&assert, topology, "slow").unwrap_err().to_string();
        assert!(error.contains("`slow`") && error.contains("1n2l1c1t"), "{error}");
        check_slow_tier(&assert, topology.with_memory_only_nodes(1), "slow").unwrap();
        check_slow_tier(&Assert::default_checks(), topology, "slow").unwrap();
    }

    #[test]
    fn a_driver_that_is_a_module_is_missing() {
        let missing = |text: &str| missing_disk_driver(&text.parse().unwrap());
        let all = "CONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_BLK=y\nCONFIG_EXT4_FS=y\n";
        assert_eq!(missing(all), None);
        assert_eq!(missing(&all.replace("BLK=y", "BLK=m")), Some("VIRTIO_BLK"));
        assert_eq!(missing("CONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_BLK=y\n"), Some("EXT4_FS"));
    }
}
