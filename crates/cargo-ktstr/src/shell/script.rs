//! Scripts in the guest: the session itself, and what it does to have a declared scheduler or test.

use std::fmt::Write as _;

use ktstr_host::quoted;
use ktstr_model::{RunOrder, SchedulerLaunch, SchedulerOrder};
use ktstr_wire::layout::{CHANNEL_FD, GUEST_VARIABLE, STOP_FD, TEST_BINARY};
use ktstr_wire::session::{SHELL, VARIABLE};

/// Brings the declared scheduler up.
pub const START_SCHEDULER: &str = "/ktstr/bin/start-scheduler";
/// Takes it down.
pub const STOP_SCHEDULER: &str = "/ktstr/bin/stop-scheduler";
/// Runs the test's body.
pub const RUN_TEST: &str = "/ktstr/bin/run-test";

const STATE: &str = "/sys/kernel/sched_ext/state";
const LOG: &str = "/tmp/scheduler.log";
const PID: &str = "/run/scheduler.pid";

/// The session: prepares what was declared, then runs the command, or an interactive shell without one.
pub fn session(order: Option<&RunOrder>, with_test: bool, command: Option<&str>) -> String {
    let mut script = "cd\n".to_owned();
    if let Some(order) = order {
        script += &prepare(order);
    }
    if with_test && command.is_none() {
        script += "echo \"run-test runs the test's body\" >&2\n";
    }
    match command {
        Some(command) => script += &format!("exec {SHELL} -c {}\n", quoted(command)),
        None => script += &format!("exec {SHELL} -i\n"),
    }
    script
}

/// What a test does before its body.
fn prepare(order: &RunOrder) -> String {
    let mut script = String::new();
    for (key, value) in &order.sysctls {
        let _ = writeln!(script, "sysctl -q -w {} || exit", quoted(&format!("{key}={value}")));
    }
    if let Some(parent) = &order.cgroup_parent {
        let _ = writeln!(script, "mkdir -p {} || exit", quoted(&format!("/sys/fs/cgroup/{parent}")));
    }
    if order.scheduler.is_some() {
        let _ = writeln!(script, "{START_SCHEDULER} || exit");
    }
    script
}

/// The scripts that somebody may type the names of, by path.
pub fn commands(order: &RunOrder, with_test: bool) -> Vec<(&'static str, String)> {
    let mut commands = Vec::new();
    if let Some(scheduler) = &order.scheduler {
        commands.push((START_SCHEDULER, start(scheduler)));
        commands.push((STOP_SCHEDULER, stop(scheduler)));
    }
    if with_test {
        commands.push((RUN_TEST, run_test(order)));
    }
    commands
}

fn start(scheduler: &SchedulerOrder) -> String {
    let name = quoted(&scheduler.name);
    match &scheduler.launch {
        SchedulerLaunch::Builtin { enable, .. } => format!("#!{SHELL}\nset -e\n{}\n", enable.join("\n")),
        SchedulerLaunch::Program { path, args } => {
            let words: Vec<String> = std::iter::once(path).chain(args).map(|word| quoted(word)).collect();
            format!(
                "#!{SHELL}
# A session of its own, so that a Ctrl-C does not reach it.
setsid {} < /dev/null > {LOG} 2>&1 &
echo $! > {PID}
until [ \"$(cat {STATE} 2>/dev/null)\" = enabled ]; do
    if ! kill -0 $! 2>/dev/null; then
        echo {name} ended before the kernel enabled a scheduler: >&2
        tail -n 40 {LOG} >&2
        exit 1
    fi
    usleep 10000
done
echo {name} is enabled\\; it writes to {LOG}, and stop-scheduler stops it >&2
",
                words.join(" ")
            )
        }
    }
}

fn stop(scheduler: &SchedulerOrder) -> String {
    match &scheduler.launch {
        SchedulerLaunch::Builtin { disable, .. } => format!("#!{SHELL}\n{}\n", disable.join("\n")),
        SchedulerLaunch::Program { .. } => format!(
            "#!{SHELL}
[ -e {PID} ] || exit 0
kill -INT \"$(cat {PID})\" 2>/dev/null
while kill -0 \"$(cat {PID})\" 2>/dev/null; do usleep 10000; done
rm {PID}
"
        ),
    }
}

/// The test's process starts its scheduler itself, to watch it.
fn run_test(order: &RunOrder) -> String {
    let stop = if order.scheduler.is_some() { format!("{STOP_SCHEDULER}\n") } else { String::new() };
    format!(
        "#!{SHELL}
{stop}{GUEST_VARIABLE}=${VARIABLE} exec {TEST_BINARY} {CHANNEL_FD}<>/dev/mem {STOP_FD}</dev/null
"
    )
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_command_arrives_as_it_was_typed() {
        let script = session(None, false, Some("echo 'a b' \"$HOME\""));
        let output = Command::new("sh").arg("-c").arg(script).env("HOME", "/").output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "a b /\n");
    }

    #[test]
    fn a_scheduler_is_started_with_its_arguments_and_stopped() {
        let launch = SchedulerLaunch::Program {
            path: "/ktstr/bin/scx_x".into(),
            args: vec!["--a".into(), "b c".into()],
        };
        let scheduler = SchedulerOrder { name: "x's".into(), launch, enable_timeout_ns: 0, read_bpf: false };
        let script = start(&scheduler);
        assert!(script.contains("setsid /ktstr/bin/scx_x --a 'b c' <"), "{script}");
        for script in [script, stop(&scheduler)] {
            assert!(Command::new("sh").args(["-n", "-c", &script]).status().unwrap().success(), "{script}");
        }
    }
}
