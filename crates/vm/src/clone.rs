//! Clones: machines made from a template, with their work in front of them.

use serde_json::json;

use crate::command_line::Role;
use crate::error::VmError;
use crate::host_channel::{self, Work};
use crate::machine::{Disk, Machine};
use crate::qemu::Qemu;
use crate::template::{Template, transfer_uri};

/// Makes a machine from `template` and lets it go.
///
/// # Errors
/// When the work does not fit, or QEMU cannot take the template over.
pub fn start(qemu: &Qemu, template: &Template, work: &Work<'_>) -> Result<Machine, VmError> {
    if work.order.len() as u64 > ktstr_wire::layout::ORDER.size {
        return Err(VmError::OrderTooLarge(work.order.len()));
    }
    work.payload.check_fits(template.spec().memory_mb)?;
    let channel = host_channel::create(Some(work))?;
    let (ram, initrd) = template.disk();
    let disk = Disk { ram: &ram, initrd: &initrd };
    let mut machine = Machine::start(qemu, template.spec(), Role::Clone, &disk, channel)?;
    if let Err(error) = load(&mut machine, qemu, template) {
        let (source, said) = (Box::new(error), machine.last_words());
        return Err(VmError::TemplateUnusable { folder: ram, source, said });
    }
    // The channel's place in QEMU's memory is known before the guest runs: no look-up disturbs it later.
    machine.channel()?;
    machine.execute("cont", json!({}))?;
    Ok(machine)
}

fn load(machine: &mut Machine, qemu: &Qemu, template: &Template) -> Result<(), VmError> {
    machine.execute("migrate-incoming", json!({ "uri": transfer_uri(qemu, &template.state(), "cat") }))?;
    machine.wait_migrated()
}
