//! Machines made from a template.

use std::path::Path;

use serde_json::json;

use crate::command_line::Role;
use crate::error::VmError;
use crate::host_channel::{self, Input};
use crate::lease::{Lease, Share};
use crate::machine::{Disk, Machine};
use crate::machine_spec::Purpose;
use crate::payload::Payload;
use crate::qemu::Qemu;
use crate::saved::transfer_uri;
use crate::template::{Progress, Template};

/// Makes a machine from `template` that unpacks `payload` and runs the test binary in it, or begins the session that it asks
/// for, and lets it go.
///
/// # Errors
/// When the payload does not fit, or QEMU cannot take the template over.
pub fn start(
    qemu: &Qemu,
    template: &Template,
    payload: &Payload,
    progress: &mut dyn Progress,
) -> Result<Machine, VmError> {
    payload.check_fits(template.spec().memory_mb)?;
    let input = Input { payload: Some(payload), ..Input::default() };
    let disk = Disk { ram: template.folder(), initrd: &template.initrd() };
    go_on(qemu, template, Role::Clone, &disk, &template.state(), input, progress)
}

/// Lets a machine of `template`'s kind go on from a saved state.
pub(crate) fn go_on(
    qemu: &Qemu,
    template: &Template,
    role: Role,
    disk: &Disk<'_>,
    state: &Path,
    input: Input<'_>,
    progress: &mut dyn Progress,
) -> Result<Machine, VmError> {
    let spec = template.spec();
    let lease = match (spec.purpose, role) {
        // It mostly waits for somebody to type, and would keep tests waiting for as long.
        (Purpose::Shell, Role::Clone) => Lease::none(),
        _ => Lease::take(template.cache(), Share::of(spec), progress)?,
    };
    let channel = host_channel::create(input)?;
    let mut machine = Machine::start(qemu, spec, role, disk, channel, lease, progress)?;
    if let Err(error) = load(&mut machine, qemu, state) {
        let (source, said) = (Box::new(error), machine.last_words());
        return Err(VmError::TemplateUnusable { folder: disk.ram.to_owned(), source, said });
    }
    machine.execute("cont", json!({}))?;
    Ok(machine)
}

fn load(machine: &mut Machine, qemu: &Qemu, state: &Path) -> Result<(), VmError> {
    machine.execute("migrate-incoming", json!({ "uri": transfer_uri(qemu, state, "cat") }))?;
    machine.wait_migrated()?;
    machine.find_vcpu_threads()
}
