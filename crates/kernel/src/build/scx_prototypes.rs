//! Whether schedulers can be loaded against a kernel's type information.

use crate::{Btf, Error};

/// Where the public functions of sched_ext begin.
const PREFIX: &str = "scx_bpf_";
/// The argument that the kernel fills in itself. Some versions of pahole leave it in the prototypes that schedulers are
/// compared with, and then none can be loaded.
const HIDDEN: &str = "bpf_prog_aux";

/// Refuses type information in which the public functions of sched_ext are missing or have their hidden argument.
pub fn check(btf: &Btf, pahole: &str) -> Result<(), Error> {
    let functions: Vec<_> = btf.functions().filter(|function| is_public(function.name)).collect();
    if functions.is_empty() {
        return Err(Error::Prototypes {
            why: format!("has no {PREFIX}* function"),
            pahole: pahole.to_owned(),
        });
    }
    let spoiled: Vec<_> = functions
        .iter()
        .filter(|function| btf.pointees(function).any(|name| name == Some(HIDDEN)))
        .map(|function| function.name)
        .collect();
    if spoiled.is_empty() {
        return Ok(());
    }
    let why = format!("shows the kernel's own argument `struct {HIDDEN} *` in {}", spoiled.join(", "));
    Err(Error::Prototypes { why, pahole: pahole.to_owned() })
}

/// The functions with the suffix are the kernel's, and have the argument by right.
fn is_public(name: &str) -> bool {
    name.starts_with(PREFIX) && !name.ends_with("_impl")
}
