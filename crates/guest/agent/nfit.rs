//! Where the channel is: ACPI's table of NVDIMMs (ACPI 6.5, 5.2.25) tells, without a driver.

use std::fs;

use crate::Failure;
use crate::layout::CHANNEL_SIZE;

const TABLE: &str = "/sys/firmware/acpi/tables/NFIT";
/// The table's header and a reserved word come before its structures.
const FIRST_STRUCTURE: usize = 40;
/// Type of a structure that describes a range of physical addresses.
const ADDRESS_RANGE: u16 = 0;
const BASE_AT: usize = 32;
const LENGTH_AT: usize = 40;

/// The physical address of the first NVDIMM that is as large as a channel.
pub fn channel_address() -> Result<u64, Failure> {
    let table = fs::read(TABLE).map_err(|e| format!("{TABLE}: {e}: a kernel without ACPI?"))?;
    let mut rest = table.get(FIRST_STRUCTURE..).unwrap_or_default();
    while let (Some(kind), Some(length)) = (u16_at(rest, 0), u16_at(rest, 2)) {
        if kind == ADDRESS_RANGE && u64_at(rest, LENGTH_AT) == Some(CHANNEL_SIZE) {
            return u64_at(rest, BASE_AT).ok_or_else(|| format!("{TABLE} is cut"));
        }
        rest = rest.get(usize::from(length).max(1)..).unwrap_or_default();
    }
    Err(format!("{TABLE} has no range of {CHANNEL_SIZE} bytes"))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
}
