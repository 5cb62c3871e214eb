//! The identities of what takes part in a run.

use ktstr_guest::AGENT;
use ktstr_kernel::Sha256Sum;
use ktstr_results::Identities;
use ktstr_vm::{Payload, VmError};
use ktstr_wire::layout::TEST_BINARY;

use crate::plan::RunPlan;
use crate::run::Host;

/// Hashes what takes part in a run of `plan`: some ten milliseconds.
pub(crate) fn of(host: &Host, plan: &RunPlan, payload: &Payload) -> Result<Identities, VmError> {
    let file = |guest_path: &str| payload.file_hash(guest_path).unwrap_or_default();
    Ok(Identities {
        payload: payload.hash(),
        test_binary: file(TEST_BINARY),
        scheduler: plan.scheduler.as_ref().map(|(_, guest_path)| file(guest_path)),
        agent: Sha256Sum::of(AGENT).to_string(),
        qemu: host.qemu.identity(&host.cache)?,
    })
}
