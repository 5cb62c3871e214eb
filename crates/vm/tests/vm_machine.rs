//! Templates and clones on a real kernel.

mod support;

use std::path::Path;

use ktstr_model::{Mode, ModeChoice};
use ktstr_vm::{Qemu, Stop, VmError, choose_mode, start_clone};
use ktstr_wire::layout::{MESSAGE, TEST_LOG, exit, stage, word};
use support::{DEADLINE, cache, kernel, program, spec, template_in};

#[test]
fn a_clone_runs_a_program_and_tells_how_it_ended() {
    let template = template_in(&cache(), &spec("1n2l2c1t")).0.unwrap();
    for (path, kind, value) in [("/usr/bin/printenv", exit::CODE, 0), ("/usr/bin/false", exit::CODE, 1)] {
        let payload = program(path);
        let mut machine =
            start_clone(&Qemu::find().unwrap(), &template, &payload, &mut |_: &str| {}).unwrap();
        // Virtual CPUs that take turns do so in one thread, which is not QEMU's first.
        let [thread] = *machine.vcpu_threads() else { panic!("{:?}", machine.vcpu_threads()) };
        let is_its = Path::new(&format!("/proc/{}/task/{thread}", machine.pid())).exists();
        assert!(is_its && thread != machine.pid(), "{thread}");
        assert_eq!(machine.wait_stop(DEADLINE).unwrap(), Stop::Guest);
        let name = std::fs::read_to_string(format!("/proc/{}/task/{thread}/comm", machine.pid())).unwrap();
        assert_eq!(name, "vcpus-lockstep\n", "it executed without looking at QEMU's main loop");
        assert_eq!(machine.stage(), stage::DONE);
        let channel = machine.channel();
        let ended = (channel.u32(word::EXIT_KIND).unwrap(), channel.u32(word::EXIT_VALUE).unwrap());
        assert_eq!(ended, (kind, value), "{path}");
        if value == 0 {
            let log = machine.log(TEST_LOG);
            assert!(log.contains("KTSTR_IN_GUEST="), "{log}");
        }
    }
}

#[test]
fn a_payload_that_is_no_program_is_told_by_the_agent() {
    let template = template_in(&cache(), &spec("1n2l2c1t")).0.unwrap();
    let mut payload = ktstr_vm::Payload::default();
    payload.add_bytes(ktstr_wire::layout::TEST_BINARY, 0o644, b"no program".to_vec());
    let mut machine = start_clone(&Qemu::find().unwrap(), &template, &payload, &mut |_: &str| {}).unwrap();
    assert_eq!(machine.wait_stop(DEADLINE).unwrap(), Stop::Guest);
    assert_eq!(machine.stage(), stage::FAILED);
    let message = machine.channel().area(MESSAGE, word::MESSAGE_LEN).unwrap();
    assert!(String::from_utf8_lossy(&message).contains("starting /ktstr/test"));
}

#[test]
fn the_guest_sees_the_topology_asked_for() {
    for topology in ["1n1l1c1t", "1n2l2c2t", "2n4l2c1t", "1n3l3c1t", "1n4l8c1t"] {
        // Template::get compares what the guest sees with what was asked for: a difference is an error.
        let template = template_in(&cache(), &spec(topology)).0.unwrap();
        assert!(template.sched_ext() && !template.kernel_release().is_empty(), "{topology}");
        assert!(template.turn_ns() > 0, "{topology}");
    }
}

/// Real time where KVM works, and a reason where it does not; a named mode is never replaced.
#[test]
fn kvm_is_proved_not_assumed() {
    let sha256 = spec("1n1l1c1t").kernel_sha256;
    let qemu = Qemu::find().unwrap();
    let choose = |choice| {
        choose_mode(&cache(), &qemu, &kernel(), &sha256, choice, &mut |what: &str| eprintln!("{what}"))
    };
    let auto = choose(ModeChoice::Auto).unwrap();
    match auto.mode {
        Mode::RealTime => assert_eq!(choose(ModeChoice::RealTime).unwrap().mode, Mode::RealTime),
        Mode::Deterministic => {
            assert!(auto.why.starts_with("KVM does not work here: "), "{}", auto.why);
            let error = choose(ModeChoice::RealTime).unwrap_err();
            assert!(matches!(error, VmError::NoKvm { .. }), "{error}");
            assert!(error.to_string().contains("--mode deterministic"), "{error}");
        }
    }
    assert_eq!(choose(ModeChoice::Deterministic).unwrap().why, "");
}

#[test]
fn a_panic_that_holds_a_machine_ends_it() {
    let template = template_in(&cache(), &spec("1n2l2c1t")).0.unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let panicked = std::thread::spawn(move || {
        let payload = program("/usr/bin/true");
        let machine = start_clone(&Qemu::find().unwrap(), &template, &payload, &mut |_: &str| {}).unwrap();
        tell.send(machine.pid()).unwrap();
        panic!("with a machine in hand");
    });
    assert!(panicked.join().is_err());
    let pid = told.recv().unwrap();
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}
