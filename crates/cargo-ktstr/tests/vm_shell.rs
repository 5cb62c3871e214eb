//! `cargo ktstr shell` as somebody uses it: through a terminal, and in a pipe. All tests share one template.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use rexpect::process::{Signal, WaitStatus};
use rexpect::session::{PtySession, spawn_command};
use rustix::process::Pid;
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcgetpgrp, tcsetwinsize};

/// Far beyond what any of these takes, a first boot too.
const PATIENCE_MS: u64 = 600_000;
const PROMPT: &str = "guest:~# ";

fn shell(args: &[&str]) -> Command {
    assert!(
        std::env::var_os("KTSTR_TEST_KERNEL").is_some(),
        "KTSTR_TEST_KERNEL names a kernel image; `cargo xtask test` sets it"
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-ktstr"));
    command.args(["ktstr", "shell"]).args(args);
    command
}

/// A shell at its prompt.
fn opened() -> PtySession {
    let mut session = spawn_command(shell(&[]), Some(PATIENCE_MS)).unwrap();
    session.exp_string(PROMPT).unwrap();
    session
}

/// Whether keys go straight through the terminal that the session is in.
fn is_raw(session: &PtySession) -> bool {
    let terminal = session.process().get_file_handle().unwrap();
    !tcgetattr(terminal).unwrap().local_modes.contains(LocalModes::ICANON)
}

/// Reads to the end; the text and the exit code.
fn end_of(session: &mut PtySession) -> (String, i32) {
    let text = session.exp_eof().unwrap();
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => (text, code),
        other => panic!("{other:?} after {text}"),
    }
}

#[test]
fn a_command_has_its_streams_its_files_and_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("note");
    fs::write(&note, "from the host\n").unwrap();
    let script = "cat; echo oops >&2; cat /include-files/note; env true; /include-files/tar --version | head -1; \
                  grep -c cgroup2 /proc/mounts; nproc; sleep 1; exit 7";
    let began = Instant::now();
    let output = assert_cmd::Command::from_std(shell(&[]))
        .args(["--topology", "1,1,2,1", "-i", note.to_str().unwrap(), "-i", "tar", "--exec", script])
        .write_stdin("typed\n")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let lines: Vec<&str> = stdout.lines().collect();
    let [typed, note, tar, cgroups, cpus] = lines[..] else { panic!("{stdout}{stderr}") };
    assert_eq!((typed, note, cgroups, cpus), ("typed", "from the host", "1", "2"));
    assert!(tar.contains("GNU tar"), "{tar}");
    assert!(stderr.ends_with("oops\n"), "{stderr}");
    assert_eq!(output.status.code(), Some(7));
    assert!(began.elapsed() >= Duration::from_secs(1), "time in the guest was not the host's");
}

#[test]
fn a_terminal_is_the_guests_until_its_shell_ends() {
    let mut session = opened();
    assert!(is_raw(&session));
    session.send_line("sleep 1000").unwrap();
    session.exp_string("sleep 1000").unwrap();
    // It reaches the program, and neither the shell nor us.
    std::thread::sleep(Duration::from_millis(300));
    session.send_control('c').unwrap();
    session.exp_string(PROMPT).unwrap();
    session.send_line("echo ended with $?").unwrap();
    session.exp_string("ended with 130").unwrap();

    let terminal = session.process().get_file_handle().unwrap();
    tcsetwinsize(&terminal, Winsize { ws_col: 101, ws_row: 33, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    session.send_line("until stty size | grep '33 101'; do usleep 10000; done").unwrap();
    session.exp_string("\n33 101").unwrap();

    session.send_line("sleep 1000 & jobs; kill %1; exit 3").unwrap();
    let (text, code) = end_of(&mut session);
    assert!(text.contains("[1]+ "), "{text}");
    assert_eq!(code, 3);
    assert!(!is_raw(&session));
}

#[test]
fn a_panic_is_told_and_the_terminal_is_as_before() {
    let mut session = opened();
    session.send_line("echo c > /proc/sysrq-trigger").unwrap();
    let (text, code) = end_of(&mut session);
    assert!(text.contains("error: the guest's kernel panicked; its console ends with"), "{text}");
    assert!(text.contains("sysrq triggered crash"), "{text}");
    assert_eq!(code, 1);
    assert!(!is_raw(&session));
}

#[test]
fn turning_the_guest_off_and_the_way_out_are_clean() {
    let mut session = opened();
    session.send_line("poweroff").unwrap();
    let (text, code) = end_of(&mut session);
    assert!(text.contains("ktstr: the guest is off"), "{text}");
    assert_eq!((code, is_raw(&session)), (0, false));

    let mut session = opened();
    session.send("\x1d\x1d\x1d").unwrap();
    session.flush().unwrap();
    let (text, code) = end_of(&mut session);
    assert!(text.contains("ktstr: left by Ctrl-]"), "{text}");
    assert_eq!((code, is_raw(&session)), (130, false));
}

#[test]
fn nothing_is_left_of_a_shell_that_is_killed() {
    let mut session = opened();
    let terminal = session.process().get_file_handle().unwrap();
    let children = children_of(tcgetpgrp(terminal).unwrap());
    assert_eq!(children.len(), 2, "a machine and a guard");
    session.process_mut().signal(Signal::SIGKILL).unwrap();
    let began = Instant::now();
    while is_raw(&session) || children.iter().any(|pid| is_running(pid)) {
        assert!(began.elapsed() < Duration::from_secs(60), "terminal or processes {children:?} stayed");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn children_of(pid: Pid) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", pid.as_raw_pid())).unwrap();
    let lists = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("children")).unwrap());
    lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Whether a process is there and no zombie.
fn is_running(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|fields| !fields.is_empty() && !fields.starts_with('Z'))
}

#[test]
fn a_boot_that_is_broken_off_leaves_nothing() {
    let cache = tempfile::tempdir().unwrap();
    let mut command = shell(&[]);
    command.env("KTSTR_CACHE_DIR", cache.path());
    let mut session = spawn_command(command, Some(PATIENCE_MS)).unwrap();
    session.exp_string("booting a ").unwrap();
    session.send_control('c').unwrap();
    let (text, code) = end_of(&mut session);
    assert!(text.contains("ktstr: interrupted"), "{text}");
    assert_eq!(code, 130);
    let left: Vec<_> =
        fs::read_dir(cache.path().join("templates")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(
        left.iter().all(|path| path.extension().is_some_and(|extension| extension == "lock")),
        "{left:?}"
    );
}

#[test]
fn without_a_terminal_a_shell_says_what_to_do() {
    let output = assert_cmd::Command::from_std(shell(&[])).write_stdin("").output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: a shell needs a terminal, and standard input is none; to run one command without, give it with --exec CMD\n"
    );
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
}

/// A shell with what the fixtures' test binaries declare. Whoever runs this test has built them, with the features that they
/// have together with all others; building them alone would build them again.
fn declared(args: &[&str], folder: &tempfile::TempDir) -> Command {
    let cargo = folder.path().join("cargo");
    let only_lists = format!(
        "#!/bin/sh\ncase \"$*\" in\n  build*) ;;\n  'nextest list'*) shift 2; exec {} nextest list --workspace -E 'package(scx-fixture)' \"$@\" ;;\n  \
         *) exec {} \"$@\" ;;\nesac\n",
        env!("CARGO"),
        env!("CARGO")
    );
    fs::write(&cargo, only_lists).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = shell(&[]);
    command.args(["--topology", "1,1,2,1"]).args(args).env("CARGO", cargo);
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    // What the runner says of this package: build scripts that look at it would be run again, and all that depends on them.
    let of_package = |name: &str| name == "CARGO_MANIFEST_DIR" || name.starts_with("CARGO_PKG_");
    for (name, _) in std::env::vars().filter(|(name, _)| of_package(name)) {
        command.env_remove(name);
    }
    command
}

/// Exit code, stdout and stderr.
fn ran(command: Command) -> (Option<i32>, String, String) {
    let output = assert_cmd::Command::from_std(command).output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_declared_scheduler_is_there_before_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let script = "cat /sys/kernel/sched_ext/root/ops; stop-scheduler; cat /sys/kernel/sched_ext/state; stop-scheduler; \
                  start-scheduler; cat /sys/kernel/sched_ext/state; exit 5";
    let args = ["--scheduler", "correct", "--binary", "scx-fixture::vm_sweep", "--exec", script];
    let (code, stdout, stderr) = ran(declared(&args, &folder));
    assert_eq!((code, stdout.as_str()), (Some(5), "fixture\ndisabled\nenabled\n"), "{stderr}");
    let told = [
        "`correct`, which the kernel knows as `fixture`, is enabled",
        "`correct` is stopped; its program exited with code 0",
        "error: no scheduler has been started",
    ];
    assert!(told.iter().all(|text| stderr.contains(text)), "{stderr}");

    let args = ["--scheduler", "rejected", "--binary", "scx-fixture::vm_sweep", "--exec", "echo not run"];
    let (code, stdout, stderr) = ran(declared(&args, &folder));
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    assert!(
        stderr.contains("FAIL: start-scheduler (rejected)\n  the BPF verifier rejected fixture_"),
        "{stderr}"
    );

    let (code, _, stderr) = ran(declared(&["--scheduler", "corect", "--exec", "true"], &folder));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("there is no scheduler `corect`: did you mean correct?"), "{stderr}");
}

#[test]
fn a_test_runs_where_it_would() {
    let folder = tempfile::tempdir().unwrap();
    let script = "test -e /sys/kernel/sched_ext/root/ops && echo there; run-test; echo code $?; cat /sys/kernel/sched_ext/state; \
                  ls /ktstr/logs; run-test";
    let args = ["--test", "passes_in_a_shell", "--exec", script];
    let (code, stdout, stderr) = ran(declared(&args, &folder));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(
        stdout.starts_with("there\nthe body runs\nPASS: passes_in_a_shell (correct)\n"),
        "{stdout}{stderr}"
    );
    assert!(stdout.contains("code 0\ndisabled\nconsole.log\n"), "{stdout}{stderr}");
    assert_eq!(stdout.matches("PASS: ").count(), 2, "{stdout}{stderr}");

    let (code, stdout, stderr) =
        ran(declared(&["--test", "fails_in_a_shell", "--exec", "run-test"], &folder));
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    assert!(stderr.contains("FAIL: fails_in_a_shell (correct)\n  on purpose\n"), "{stderr}");

    let (_, _, stderr) = ran(declared(&["--test", "passes_in_a_shel", "--exec", "true"], &folder));
    assert!(stderr.contains("there is no test `passes_in_a_shel`: did you mean"), "{stderr}");
}

#[test]
fn a_test_that_is_broken_off_leaves_nothing_and_runs_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut session =
        spawn_command(declared(&["--test", "stays_in_a_shell"], &folder), Some(PATIENCE_MS)).unwrap();
    session.exp_string(PROMPT).unwrap();
    for _ in 0..2 {
        // What is typed has no `2`, so that only the answer has.
        let works =
            "until grep -q . /sys/fs/cgroup/ktstr/cell_0/cgroup.procs; do usleep 10000; done 2>/dev/null";
        session.send_line(&format!("({works}; echo workers: $((1 + 1))) & run-test")).unwrap();
        session.exp_string("workers: 2").unwrap();
        session.send_control('c').unwrap();
        session.exp_string("ktstr: interrupted; the test's cgroups are removed").unwrap();
        session.exp_string(PROMPT).unwrap();
        session
            .send_line("echo code $?; cat /sys/kernel/sched_ext/state; ls -d /sys/fs/cgroup/ktstr")
            .unwrap();
        session.exp_string("code 130\r\ndisabled\r\nls: /sys/fs/cgroup/ktstr: No such file").unwrap();
        session.exp_string(PROMPT).unwrap();
    }
    session.send_line("exit").unwrap();
    let (text, code) = end_of(&mut session);
    assert_eq!((code, is_raw(&session)), (1, false), "{text}");
}

#[test]
fn a_scheduler_that_is_rejected_leaves_the_shell_open() {
    let folder = tempfile::tempdir().unwrap();
    let command = declared(&["--scheduler", "rejected", "--binary", "scx-fixture::vm_sweep"], &folder);
    let mut session = spawn_command(command, Some(PATIENCE_MS)).unwrap();
    session.exp_string("ktstr: of the scheduler: start-scheduler, stop-scheduler, scheduler-log").unwrap();
    session.exp_string("the BPF verifier rejected fixture_").unwrap();
    session.exp_string(PROMPT).unwrap();
    session.send_line("cat /sys/kernel/sched_ext/state; scheduler-log | grep -c processed").unwrap();
    session.exp_string("disabled\r\n1\r\n").unwrap();
    session.send_line("exit 4").unwrap();
    let (text, code) = end_of(&mut session);
    assert_eq!((code, is_raw(&session)), (4, false), "{text}");
}

#[test]
fn a_build_that_lacks_a_tool_points_to_the_doctor() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "[package]\nname = \"broken\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/main.rs"), "no Rust").unwrap();
    let command = |clang: Option<&str>| {
        let mut command = shell(&["--scheduler", "any", "--exec", "true"]);
        command.current_dir(folder.path()).env("CARGO_TARGET_DIR", folder.path().join("target"));
        clang.map(|clang| command.env("BPF_CLANG", clang));
        command
    };
    let (code, _, stderr) = ran(command(Some("/nowhere/clang")));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("this host lacks what schedulers are built with: clang 18 or newer"), "{stderr}");
    assert!(stderr.ends_with("run `cargo ktstr doctor`\n"), "{stderr}");
    let (_, _, stderr) = ran(command(None));
    assert!(stderr.ends_with("programs could not be built (`cargo build --workspace --bins`)\n"), "{stderr}");
}
