//! QEMU's command line for a machine. A pure function: the files it names are given.

use std::path::Path;

use ktstr_host::Version;
use ktstr_model::{Mode, Topology};
use ktstr_wire::layout::CHANNEL_SIZE;
use ktstr_wire::session;

use crate::machine_size::needs_x2apic;
use crate::machine_spec::{MachineSpec, Purpose};
use crate::qemu::Qemu;

/// Virtual nanoseconds of one guest instruction are 2 to this power. At 2 a test takes about as long on the host as it
/// lasts in the guest; from 5 on the guest's own overheads distort it.
pub(crate) const ICOUNT_SHIFT: u32 = 2;

/// A template's randomness; the run's seed goes to the clone's agent.
const TEMPLATE_SEED: u32 = 42;

/// Whether a machine is booted to become a template or is made from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Boots, and writes its RAM through to the files.
    Template,
    /// Continues a template's copy, to become a loaded template, and writes its RAM through to the files.
    Loader,
    /// Maps the RAM files copy-on-write and waits for the saved state.
    Clone,
}

impl Role {
    /// The value of `share=` for RAM.
    fn share_ram(self) -> &'static str {
        if self == Self::Clone { "off" } else { "on" }
    }
}

/// The files of a machine, as QEMU shall open them.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The folder with the RAM files.
    pub ram: &'a Path,
    /// The initial RAM disk with the agent.
    pub initrd: &'a Path,
    /// The channel.
    pub channel: &'a str,
    /// Where the serial console goes.
    pub console: &'a str,
    /// Number of the control socket's descriptor.
    pub control_fd: i32,
    /// Number of the descriptor of a shell's line.
    pub line_fd: i32,
    /// The guest's disk, where it has one.
    pub disk: &'a str,
}

/// Name of the RAM file of NUMA node `node`.
pub fn ram_file(node: u32) -> String {
    format!("ram{node}")
}

/// The arguments for QEMU.
pub fn arguments(qemu: &Qemu, spec: &MachineSpec, role: Role, files: Files<'_>) -> Vec<String> {
    let topology = &spec.topology;
    let mut arguments = Arguments::default();
    arguments.add("-machine", machine(spec));
    arguments.flag("-nodefaults").flag("-no-user-config");
    arguments.add("-display", "none");
    accelerate(&mut arguments, qemu, spec);
    arguments.add("-smp", smp(topology));
    memory(&mut arguments, spec, role, files.ram);
    arguments.add("-kernel", spec.kernel.display().to_string());
    arguments.add("-initrd", files.initrd.display().to_string());
    arguments.add("-append", spec.kernel_command_line());

    // An NVDIMM has its place in the address space before the guest runs, as no PCI device has. So QEMU takes over a
    // state with the channel left out, and every machine, template or clone, shares its channel with us.
    arguments.add(
        "-object",
        format!("memory-backend-file,id=channel,size={CHANNEL_SIZE},mem-path={},share=on", files.channel),
    );
    arguments.add("-device", "nvdimm,memdev=channel");
    arguments.add("-device", "pvpanic-pci");
    if spec.purpose == Purpose::Shell {
        // What the guest writes is taken at once; in an event loop of QEMU's it would wait for the vCPUs.
        arguments.add("-device", "virtio-serial-pci,ioeventfd=off");
        arguments.add("-chardev", format!("socket,id=line,fd={}", files.line_fd));
        arguments.add("-device", format!("virtserialport,chardev=line,name={}", session::PORT));
    }
    if spec.disk_mb > 0 {
        arguments.add("-blockdev", format!("driver=file,node-name=disk,filename={},locking=off", files.disk));
        // The size is not elsewhere on the command line, which is what identifies a template.
        arguments.add("-device", format!("virtio-blk-pci,drive=disk,serial={}M", spec.disk_mb));
    }
    // Every way to end leaves the process alive, so that its memory can still be read.
    arguments.add("-action", "panic=pause,reboot=shutdown,shutdown=pause");
    arguments.add("-chardev", format!("file,id=console,path={},append=on", files.console));
    arguments.add("-serial", "chardev:console");
    arguments.add("-chardev", format!("socket,id=control,fd={}", files.control_fd));
    arguments.add("-mon", "chardev=control,mode=control");
    // A clone would announce itself on a host-time timer and so disturb its schedule.
    arguments.add("-global", "migration.announce-rounds=0");
    if role != Role::Template {
        arguments.add("-incoming", "defer");
    }
    arguments.0
}

#[derive(Default)]
struct Arguments(Vec<String>);

impl Arguments {
    fn add(&mut self, option: &str, value: impl Into<String>) -> &mut Self {
        self.0.extend([option.to_owned(), value.into()]);
        self
    }

    fn flag(&mut self, option: &str) -> &mut Self {
        self.0.push(option.to_owned());
        self
    }
}

fn machine(spec: &MachineSpec) -> String {
    let mut machine = "q35,nvdimm=on".to_owned();
    if spec.topology.memory_nodes() == 1 {
        machine += ",memory-backend=ram0";
    }
    if spec.mode == Mode::Deterministic {
        // Its counter would be one more clock in saved states; the guest goes by the time stamp counter.
        machine += ",hpet=off";
    }
    if needs_x2apic(&spec.topology) {
        machine += ",kernel-irqchip=split";
    }
    machine
}

fn accelerate(arguments: &mut Arguments, qemu: &Qemu, spec: &MachineSpec) {
    match spec.mode {
        Mode::RealTime => {
            // AMD's guests see SMT and L3s as asked for only with topoext, which QEMU leaves off.
            let topology = if qemu.host_cpu == "AuthenticAMD" { ",+topoext" } else { "" };
            arguments.add("-accel", "kvm").add("-cpu", format!("host{topology}"));
        }
        Mode::Deterministic => {
            arguments.add("-accel", "tcg");
            // Idle time is skipped, or slept through.
            let sleep = if spec.is_repeatable() { "off" } else { "on" };
            arguments.add("-icount", format!("shift={ICOUNT_SHIFT},sleep={sleep}"));
            arguments.add("-seed", TEMPLATE_SEED.to_string());
            arguments.add("-rtc", "base=2026-01-01T00:00:00,clock=vm");
            // The plain model is an AMD one without topoext, whose guests see one L3 a socket. As an Intel one the L3
            // is per die; QEMU 10 aborts on leaf 0x1f of that unless the CPUID level ends before it.
            let level = if qemu.version >= Version(10, 0, 0) { ",level=0x16" } else { "" };
            // The features that are off make guests slow under TCG: with the first two the kernel copies with string
            // instructions, which are executed one byte at a time when instructions are counted; the third adds a
            // level to each page walk; the fourth ends a translation block at each access to user memory.
            let off = "erms=off,fsrm=off,la57=off,smap=off";
            arguments.add("-cpu", format!("max,vendor=GenuineIntel{level},{off}"));
        }
    }
}

fn smp(topology: &Topology) -> String {
    format!(
        "cpus={},sockets={},dies={},cores={},threads={}",
        topology.cpus(),
        topology.numa_nodes(),
        topology.llcs_per_node(),
        topology.cores_per_llc(),
        topology.threads_per_core()
    )
}

fn memory(arguments: &mut Arguments, spec: &MachineSpec, role: Role, ram: &Path) {
    let share = role.share_ram();
    let nodes = spec.topology.memory_nodes();
    let node_mb = spec.memory_per_node_mb();
    let (memory_mb, channel_mb) = (node_mb * nodes, (CHANNEL_SIZE >> 20) as u32);
    arguments.add("-m", format!("{memory_mb}M,slots=1,maxmem={}M", memory_mb + channel_mb));
    for node in 0..nodes {
        let file = ram.join(ram_file(node));
        arguments.add(
            "-object",
            format!(
                "memory-backend-file,id=ram{node},size={node_mb}M,mem-path={},share={share},reserve=off",
                in_option(&file)
            ),
        );
    }
    if nodes == 1 {
        return;
    }
    let cpus_each = spec.topology.cpus() / spec.topology.numa_nodes();
    for node in 0..nodes {
        let (first, last) = (node * cpus_each, (node + 1) * cpus_each - 1);
        let has_cpus = node < spec.topology.numa_nodes();
        let cpus = if has_cpus { format!(",cpus={first}-{last}") } else { String::new() };
        arguments.add("-numa", format!("node,nodeid={node},memdev=ram{node}{cpus}"));
    }
    for (from, to) in (0..nodes).flat_map(|from| (0..nodes).map(move |to| (from, to))) {
        let distance = spec.topology.distance(from, to);
        arguments.add("-numa", format!("dist,src={from},dst={to},val={distance}"));
    }
}

/// A path as part of an option, where a comma would end it: two stand for one.
fn in_option(path: &Path) -> String {
    path.display().to_string().replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(mode: Mode, topology: Topology) -> MachineSpec {
        MachineSpec {
            kernel: "/kernels/image".into(),
            kernel_sha256: "00".into(),
            kargs: vec!["nosmt".into()],
            topology,
            memory_mb: 2048,
            mode,
            purpose: Purpose::Test,
            disk_mb: 0,
        }
    }

    fn lines(mode: Mode, topology: Topology, role: Role) -> String {
        lines_on("GenuineIntel", mode, topology, role)
    }

    fn lines_on(host_cpu: &str, mode: Mode, topology: Topology, role: Role) -> String {
        lines_for(Purpose::Test, host_cpu, mode, topology, role)
    }

    fn lines_for(purpose: Purpose, host_cpu: &str, mode: Mode, topology: Topology, role: Role) -> String {
        lines_with(0, purpose, host_cpu, mode, topology, role)
    }

    fn lines_with(
        disk_mb: u32,
        purpose: Purpose,
        host_cpu: &str,
        mode: Mode,
        topology: Topology,
        role: Role,
    ) -> String {
        let (path, version) = ("/usr/bin/qemu-system-x86_64".into(), Version(10, 0, 2));
        let qemu = Qemu { path, version, host_cpu: host_cpu.into() };
        let spec = MachineSpec { purpose, disk_mb, ..spec(mode, topology) };
        let files = Files {
            ram: Path::new("/templates/x"),
            initrd: Path::new("/templates/x/initrd"),
            channel: "/proc/self/fd/7",
            console: "/proc/self/fd/8",
            control_fd: 9,
            line_fd: 10,
            disk: "/proc/self/fd/11",
        };
        let arguments = arguments(&qemu, &spec, role, files);
        let mut text = String::new();
        for argument in arguments {
            text += if argument.starts_with('-') { "\n" } else { " " };
            text += &argument;
        }
        text
    }

    #[test]
    fn a_disk_has_its_size_on_the_command_line() {
        let lines = |disk_mb| {
            let topology = Topology::of(1, 2, 4, 1);
            lines_with(disk_mb, Purpose::Test, "GenuineIntel", Mode::RealTime, topology, Role::Clone)
        };
        let without = lines(0);
        let more: Vec<String> =
            lines(64).lines().filter(|line| !without.contains(*line)).map(str::to_owned).collect();
        insta::assert_snapshot!(more.join("\n"), @r"
        -blockdev driver=file,node-name=disk,filename=/proc/self/fd/11,locking=off
        -device virtio-blk-pci,drive=disk,serial=64M
        ");
        assert_ne!(lines(64), lines(65), "a template of another size is another template");
    }

    #[test]
    fn a_comma_in_a_path_does_not_end_an_option() {
        let mut arguments = Arguments::default();
        let spec = spec(Mode::Deterministic, Topology::of(1, 1, 1, 1));
        memory(&mut arguments, &spec, Role::Clone, Path::new("/cache/me, myself"));
        let option = arguments.0.pop().unwrap();
        assert!(option.contains(",mem-path=/cache/me,, myself/ram0,share=off,"), "{option}");
    }

    #[test]
    fn a_deterministic_template() {
        insta::assert_snapshot!(lines(Mode::Deterministic, Topology::of(1, 2, 4, 1), Role::Template));
    }

    #[test]
    fn only_a_shell_has_a_line_and_keeps_up_with_the_host() {
        let topology = Topology::of(1, 2, 4, 1);
        let lines = |purpose| lines_for(purpose, "GenuineIntel", Mode::Deterministic, topology, Role::Clone);
        let (test, shell) = (lines(Purpose::Test), lines(Purpose::Shell));
        let more: Vec<&str> =
            shell.lines().filter(|line| !test.lines().any(|other| other == *line)).collect();
        insta::assert_snapshot!(more.join("\n"), @r"
        -icount shift=2,sleep=on
        -device virtio-serial-pci,ioeventfd=off
        -chardev socket,id=line,fd=10
        -device virtserialport,chardev=line,name=ktstr.session
        ");
        assert!(test.contains("sleep=off"));
    }

    #[test]
    fn an_amd_host_shows_its_topology_to_guests() {
        let cpu = |host_cpu, mode| {
            let lines = lines_on(host_cpu, mode, Topology::of(1, 2, 4, 1), Role::Clone);
            lines.lines().find(|line| line.starts_with("-cpu ")).unwrap().to_owned()
        };
        assert_eq!(cpu("AuthenticAMD", Mode::RealTime), "-cpu host,+topoext");
        assert_eq!(cpu("GenuineIntel", Mode::RealTime), "-cpu host");
        assert_eq!(cpu("AuthenticAMD", Mode::Deterministic), cpu("GenuineIntel", Mode::Deterministic));
    }

    #[test]
    fn a_real_time_clone_of_two_nodes() {
        insta::assert_snapshot!(lines(Mode::RealTime, Topology::of(2, 4, 2, 2), Role::Clone));
    }

    #[test]
    fn a_node_of_memory_only_has_no_cpus_and_is_far() {
        let topology = Topology::of(1, 2, 2, 1).with_memory_only_nodes(1);
        let lines = lines(Mode::Deterministic, topology, Role::Template);
        let numa: Vec<&str> = lines.lines().filter(|line| line.starts_with("-numa")).collect();
        insta::assert_snapshot!(numa.join("\n"), @r"
        -numa node,nodeid=0,memdev=ram0,cpus=0-3
        -numa node,nodeid=1,memdev=ram1
        -numa dist,src=0,dst=0,val=10
        -numa dist,src=0,dst=1,val=30
        -numa dist,src=1,dst=0,val=30
        -numa dist,src=1,dst=1,val=10
        ");
        assert!(lines.contains("size=1024M") && !lines.contains("memory-backend=ram0"), "{lines}");
    }
}
