//! Templates and clones on a real kernel (`KTSTR_TEST_KERNEL`, set by `cargo xtask test`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use ktstr_model::{Mode, Topology};
use ktstr_vm::{Deadline, MachineSpec, Payload, Qemu, Stop, Template, VmError, Work, start_clone};
use ktstr_wire::layout::{TEST_BINARY, TEST_LOG, exit, stage, word};

const DEADLINE: Deadline = Deadline { cpu: Some(Duration::from_secs(60)), wall: Duration::from_secs(600) };

fn kernel() -> PathBuf {
    std::env::var_os("KTSTR_TEST_KERNEL")
        .expect("KTSTR_TEST_KERNEL names a kernel image; `cargo xtask test` sets it")
        .into()
}

fn cache() -> PathBuf {
    match std::env::var_os("KTSTR_CACHE_DIR") {
        Some(folder) => folder.into(),
        None => PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/ktstr"),
    }
}

fn spec(topology: Topology) -> MachineSpec {
    let kernel = kernel();
    let kernel_sha256 = ktstr_vm::sha256_file(&kernel).unwrap();
    MachineSpec {
        kernel,
        kernel_sha256,
        kargs: Vec::new(),
        topology,
        memory_mb: 512,
        mode: Mode::Deterministic,
    }
}

fn template(topology: Topology) -> Result<Template, VmError> {
    Template::get(&cache(), &Qemu::find()?, &spec(topology), &mut |what: &str| eprintln!("{what}"))
}

fn program(path: &str) -> Payload {
    let mut payload = Payload::default();
    payload.add_program(Path::new(path), TEST_BINARY).unwrap();
    payload
}

#[test]
fn a_clone_runs_a_program_and_tells_how_it_ended() {
    let template = template(Topology::of(1, 2, 2, 1)).unwrap();
    eprintln!("turn {} ns, skew {}", template.turn_ns(), template.skew_permille());
    let payload = program("/usr/bin/printenv");
    let work = Work { seed: 7, order: b"", payload: &payload };
    let mut machine = start_clone(&Qemu::find().unwrap(), &template, &work).unwrap();
    assert_eq!(machine.wait_stop(DEADLINE).unwrap(), Stop::Guest);
    assert_eq!(machine.stage(), stage::DONE);
    let channel = machine.channel().unwrap();
    assert_eq!(
        (channel.u32(word::EXIT_KIND).unwrap(), channel.u32(word::EXIT_VALUE).unwrap()),
        (exit::CODE, 0)
    );
    let log = machine.log(TEST_LOG);
    assert!(log.contains("KTSTR_IN_GUEST=1"), "{log}");
}

#[test]
fn the_guest_sees_the_topology_asked_for() {
    for text in ["1n1l1c1t", "1n2l2c2t", "2n4l2c1t", "1n3l3c1t", "1n4l8c1t"] {
        // The template's own check is what is tested: it is an error when the guest sees anything else.
        let template = template(text.parse().unwrap()).unwrap();
        eprintln!("{text}: turn {} ns, skew {}", template.turn_ns(), template.skew_permille());
        assert!(template.sched_ext() && !template.kernel_release().is_empty());
    }
}
