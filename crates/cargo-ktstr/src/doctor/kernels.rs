//! Kernels, and whether KVM runs them.

use std::env;

use ktstr_host::Invocation;
use ktstr_kernel::{Cache, Entry, Environment, Kernel, Slot, discover};
use ktstr_model::ModeChoice;
use ktstr_vm::{KnownKvm, Qemu, choose_mode, forget_kvm, known_kvm};

use super::finding::{Finding, Fix};

const KVM: &str = "KVM";

/// What is known of KVM; with `prove`, tried by booting a machine unless one was booted before.
pub fn kvm(cache: &Cache, qemu: &Qemu, kernel: Option<&Kernel>, prove: bool) -> Finding {
    let Some(kernel) = kernel else {
        return Finding::note(KVM, "not looked at: only booting a kernel proves it, and there is none");
    };
    let sha256 = kernel.image_sha256.to_string();
    let mut not_proved = String::new();
    if prove {
        let mut progress = |what: &str| eprintln!("{what}");
        let choice = ModeChoice::Auto;
        // Leaves what it learns where `known_kvm` looks.
        let proved = forget_kvm(cache.root(), qemu, &sha256)
            .and_then(|()| choose_mode(cache.root(), qemu, &kernel.image, &sha256, choice, &mut progress));
        match proved {
            Err(error) => return Finding::note(KVM, error),
            Ok(chosen) => not_proved = chosen.why,
        }
    }
    match known_kvm(cache.root(), qemu, &kernel.image, &sha256) {
        Ok(KnownKvm::Works) => Finding::ok(KVM, format!("works: a machine with {} was booted with it", kernel.version)),
        Ok(KnownKvm::Fails(reason)) => Finding::note(
            KVM,
            format!("does not work here ({reason}): tests run in deterministic mode, and real-time mode cannot be had"),
        ),
        Ok(KnownKvm::Unproved) if prove => {
            Finding::note(KVM, format!("not known. {not_proved}. That says nothing of the next time: try again"))
        }
        Ok(KnownKvm::Unproved) => Finding::note(
            KVM,
            "/dev/kvm can be opened, which proves little: the first test run boots a machine with it to know, which may \
             take a minute where it does not work",
        )
        .fixed_by_hand("`cargo ktstr doctor --prove-kvm` does that now"),
        Err(error) => Finding::note(KVM, error),
    }
}

/// The kernels that are cached, and the one that tests would run on.
pub fn kernel(environment: &Environment, cache: &Cache) -> Finding {
    let slots = match cache.list() {
        Ok(slots) => slots,
        Err(error) => return Finding::missing("kernel", error),
    };
    let corrupt = slots.iter().filter(|slot| slot.ready().is_none()).count();
    let cached = format!("{} cached", slots.len() - corrupt);
    let kernel = match discover(environment, cache) {
        Ok(kernel) => kernel,
        Err(error) => return Finding::missing("kernel", error).fixed_by(fetch()),
    };
    let entry = slots.iter().filter_map(Slot::ready).find(|entry| entry.image() == kernel.image);
    let found = format!("{kernel}; {cached}{}", sched_ext_words(entry));
    if entry.is_some_and(|entry| !entry.metadata().sched_ext) {
        return Finding::missing("kernel", format!("{found}, so BPF schedulers cannot run on it"))
            .fixed_by(fetch());
    }
    if corrupt > 0 {
        return Finding::note("kernel", format!("{found}; {corrupt} corrupt"))
            .fixed_by_hand("`cargo ktstr kernel clean --corrupt-only`");
    }
    Finding::ok("kernel", found)
}

fn sched_ext_words(entry: Option<&Entry>) -> &'static str {
    match entry.map(|entry| entry.metadata().sched_ext) {
        Some(true) => "; has sched_ext",
        Some(false) => "; without sched_ext",
        None => "",
    }
}

/// This program itself, so that it does not matter how it was started.
fn fetch() -> Fix {
    let own = env::current_exe().ok().filter(|path| path.exists());
    let command = own.map_or_else(|| Invocation::new("cargo ktstr"), Invocation::of);
    Fix::Command(command.args(["kernel", "fetch"]))
}
