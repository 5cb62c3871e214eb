use ktstr_model::ExitHow;

use super::*;

const SHELL: Payload = Payload::binary("shell", "sh").args(&["-c"]);

fn started(script: &str) -> Program {
    Program::start(&SHELL, &ProgramHere { path: "/bin/sh", primary: false }, &[script.to_owned()], None)
        .unwrap()
}

/// Waits until the program has written a whole line: it has come so far then.
fn wait_for_a_line(program: &Program) {
    while !program.outputs[0].so_far().contains('\n') {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

fn ended(script: &str) -> (PayloadReport, ProgramOutput) {
    let program = started(script);
    assert!(program.ends_before(monotonic_ns() + 20_000_000_000));
    program.finish().unwrap()
}

#[test]
fn a_program_is_told_apart_by_how_it_ends_and_what_it_says() {
    let (report, output) = ended("echo out; echo err >&2; pwd; exit 3");
    assert_eq!(report.end, PayloadEnd::Ended(ExitHow::Code(3)));
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("out\n/tmp\n", "err\n"));
    assert_eq!(report.last_lines, ["out", "/tmp", "err"]);
    assert_eq!(report.args[0], "-c");
    assert!(report.ended_ns > report.began_ns);
    let (report, _) = ended("kill -9 $$");
    assert_eq!(report.end, PayloadEnd::Ended(ExitHow::Signal(9)));
}

#[test]
fn one_that_runs_on_is_asked_and_then_killed_with_its_children() {
    let mut program = started("trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
    wait_for_a_line(&program);
    program.ask_to_end();
    let (report, output) = program.finish().unwrap();
    assert_eq!(
        (report.end, output.stdout.as_str()),
        (PayloadEnd::Stopped(ExitHow::Code(0)), "ready\nasked\n")
    );

    let program = started("trap '' TERM; sleep 1000 & echo $!; wait; wait");
    wait_for_a_line(&program);
    let (report, output) = program.finish().unwrap();
    assert_eq!(report.end, PayloadEnd::Stopped(ExitHow::Signal(9)));
    let child: i32 = output.stdout.trim().parse().unwrap();
    let state = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
}

#[test]
fn what_a_program_leaves_running_is_killed_when_it_has_ended() {
    let (report, output) = ended("sleep 1000 & echo $!");
    assert_eq!(report.end, PayloadEnd::Ended(ExitHow::Code(0)));
    let child = output.stdout.trim();
    let state = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
}

#[test]
fn one_that_cannot_be_started_is_named() {
    let nowhere = ProgramHere { path: "/no/such", primary: false };
    let error = Program::start(&Payload::binary("x", "x"), &nowhere, &[], None).unwrap_err().to_string();
    assert!(error.starts_with("payload x cannot be started from /no/such: No such file"), "{error}");
}

#[test]
fn long_lines_are_cut_between_letters() {
    let line = "é".repeat(150);
    assert_eq!(last_lines(&format!("\n\n{line}\n"))[0], format!("{}...", "é".repeat(100)));
    assert_eq!(last_lines("a\n \nb\n"), ["a", "b"]);
}
