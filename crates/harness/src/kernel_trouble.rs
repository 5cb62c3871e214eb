//! Signs of a guest kernel in trouble, in its console and log.

use ktstr_model::Cause;

/// What the kernel prints, and what that means. The first that matches wins, so causes go before their consequences.
const SIGNS: [(&str, Cause); 10] = [
    ("Out of memory and no killable processes", Cause::OutOfMemory),
    ("Out of memory: Killed process", Cause::OutOfMemory),
    ("BUG: unable to handle", Cause::GuestOops),
    ("BUG: kernel NULL pointer", Cause::GuestOops),
    ("kernel BUG at", Cause::GuestOops),
    ("Oops: ", Cause::GuestOops),
    ("general protection fault", Cause::GuestOops),
    ("double fault", Cause::GuestOops),
    ("watchdog: BUG: soft lockup", Cause::GuestOops),
    ("Kernel panic - not syncing", Cause::GuestPanic),
];

/// The first sign of trouble in a kernel's messages: what it means and the line.
///
/// A panic that follows an oops is reported as a panic, because the machine is gone, but with the oops's line.
pub fn find(text: &str) -> Option<(Cause, String)> {
    let (cause, line) = SIGNS.iter().find_map(|(sign, cause)| {
        let line = text.lines().find(|line| is_kernels(line) && line.contains(sign))?;
        Some((*cause, line.trim().to_owned()))
    })?;
    let panicked = text.lines().any(|line| line.contains("Kernel panic - not syncing"));
    match cause {
        Cause::GuestOops if panicked => Some((Cause::GuestPanic, line)),
        cause => Some((cause, line)),
    }
}

/// Whether the kernel wrote the line, about itself: it begins with a time in brackets, and not with what it says when a
/// program does something forbidden.
fn is_kernels(line: &str) -> bool {
    line.trim_start().starts_with('[') && !line.contains("] traps: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_causes_apart() {
        let cases = [
            ("[  1.0] Kernel panic - not syncing: Attempted to kill init!", Cause::GuestPanic),
            ("[  1.0] Oops: int3: 0000 [#1] SMP\n[  1.1] RIP: 0010", Cause::GuestOops),
            (
                "[  1.0] BUG: unable to handle page fault\n[  1.1] Kernel panic - not syncing: Fatal",
                Cause::GuestPanic,
            ),
            ("[  9.0] Out of memory: Killed process 12 (test)", Cause::OutOfMemory),
        ];
        for (text, cause) in cases {
            assert_eq!(find(text).map(|found| found.0), Some(cause), "{text}");
        }
        let (_, line) = find(cases[2].0).unwrap();
        assert!(line.contains("unable to handle"), "{line}");
    }

    #[test]
    fn what_a_test_prints_is_no_sign() {
        assert_eq!(find("Oops: I did it again"), None);
        assert_eq!(
            find("[    3.1] traps: scx_x[77] general protection fault ip:40 sp:7f error:0 in scx_x"),
            None
        );
        assert_eq!(find("[  1.0] sched_ext: BPF scheduler \"x\" enabled"), None);
    }
}
