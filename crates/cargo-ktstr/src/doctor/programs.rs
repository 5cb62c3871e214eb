//! The programs that tests need.

use ktstr_host::{Host, OF_SHELLS, REQUIREMENTS, Requirement, Version, install_nextest};
use ktstr_kernel::{Error, Toolchain};
use ktstr_model::Mode;
use ktstr_vm::Qemu;

use super::finding::{Finding, Fix, State};
use crate::test::{cargo, has_nextest};

const QEMU: &str = "QEMU";

pub fn qemu(host: &Host) -> Finding {
    let requirement = &REQUIREMENTS[0];
    let qemu = match Qemu::find() {
        Ok(qemu) => qemu,
        // The requirement's look knows which variable is to blame.
        Err(error) => return lack(requirement, host, QEMU).unwrap_or_else(|| Finding::missing(QEMU, error)),
    };
    let found = format!("{} ({})", qemu.version, qemu.path.display());
    let Err(error) = qemu.check(Mode::Deterministic) else {
        return with_faults(&qemu, &found);
    };
    let finding = match qemu.check(Mode::RealTime) {
        // Real-time mode alone is not enough for `--mode deterministic`, replays and hosts without KVM.
        Ok(()) => {
            Finding::missing(QEMU, format!("{found} does real-time mode only, which needs KVM: {error}"))
        }
        Err(error) => Finding::missing(QEMU, error),
    };
    match lack(requirement, host, QEMU) {
        Some(Finding { fix: Some(fix), .. }) => finding.fixed_by(fix),
        _ => finding,
    }
}

/// What is known to be wrong with versions that are new enough.
fn with_faults(qemu: &Qemu, found: &str) -> Finding {
    if qemu.version >= Version(11, 0, 0) {
        let found = format!("{found}: newer than any that ktstr was tried with (8.2 to 10)");
        return Finding::note(QEMU, found);
    }
    Finding::ok(QEMU, format!("{found}, no known faults"))
}

pub fn nextest() -> Finding {
    if has_nextest() {
        return Finding::ok("nextest", "`cargo nextest` is there");
    }
    if !has_cargo() {
        return Finding::missing("nextest", "no cargo, whose `cargo nextest` runs the tests")
            .fixed_by_hand("install Rust (https://www.rust-lang.org/tools/install) and ask again");
    }
    Finding::missing("nextest", "no `cargo nextest`, which runs the tests")
        .fixed_by(Fix::Command(install_nextest()))
}

fn has_cargo() -> bool {
    cargo().arg("--version").output().is_ok_and(|output| output.status.success())
}

/// What schedulers and the guest's agent are built with.
pub fn for_building(host: &Host) -> impl Iterator<Item = Finding> {
    REQUIREMENTS[1..].iter().map(|requirement| {
        lack(requirement, host, requirement.name)
            .unwrap_or_else(|| Finding::ok(requirement.name, requirement.what))
    })
}

fn lack(requirement: &'static Requirement, host: &Host, subject: &'static str) -> Option<Finding> {
    let lack = requirement.lack(host)?;
    let finding = Finding::missing(subject, &lack.found);
    Some(match lack.chosen_by {
        Some(variable) => finding.fixed_by_hand(format!("unset {variable}, or name a newer one in it")),
        None => finding.fixed_by(Fix::Packages { what: requirement.what, packages: requirement.packages }),
    })
}

/// What `cargo ktstr shell` needs; tests run without it.
pub fn for_shell(host: &Host) -> Finding {
    let busybox = &OF_SHELLS[0];
    match lack(busybox, host, busybox.name) {
        None => Finding::ok(busybox.name, "has the programs of the guest of `cargo ktstr shell`"),
        Some(lack) => Finding {
            state: State::Note,
            found: "`cargo ktstr shell` needs it: ".to_owned() + &lack.found,
            ..lack
        },
    }
}

/// What `cargo ktstr kernel build` needs; tests run on fetched kernels without it.
pub fn for_kernels() -> Finding {
    match Toolchain::find() {
        Ok(_) => Finding::ok("kernel build", "has what `cargo ktstr kernel build` needs"),
        Err(Error::BuildToolsMissing { programs, packages }) => Finding::note(
            "kernel build",
            format!("`cargo ktstr kernel build` needs {programs}; fetched kernels do not"),
        )
        .fixed_by_hand(format!("`apt-get install -y --no-install-recommends {packages}`")),
        Err(error) => Finding::note("kernel build", error),
    }
}
