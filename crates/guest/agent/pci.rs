//! Finding PCI devices in sysfs and mapping their BARs from user space: no driver and no port I/O.

use std::fs::{self, File, OpenOptions};
use std::os::fd::{AsRawFd, RawFd};
use std::path::{Path, PathBuf};

use crate::sys::{self, Mapping};
use crate::Failure;

/// Vendor, device and the BAR of interest.
#[derive(Clone, Copy)]
pub struct DeviceId {
    vendor: u32,
    device: u32,
    bar: u32,
}

/// QEMU's pvpanic-pci: a write to BAR 0 stops the machine.
pub const PVPANIC: DeviceId = DeviceId { vendor: 0x1b36, device: 0x0011, bar: 0 };

/// Enables a device, takes it away from a driver that claims its BAR, and opens the BAR.
pub fn enable(id: DeviceId) -> Result<File, Failure> {
    let folder = find(id)?;
    if let (Ok(driver), Some(name)) = (fs::canonicalize(folder.join("driver")), folder.file_name()) {
        // With IO_STRICT_DEVMEM a BAR that a driver has claimed cannot be mapped.
        let _ = fs::write(driver.join("unbind"), name.as_encoded_bytes());
    }
    write(&folder.join("enable"), "1")?;
    let bar = folder.join(format!("resource{}", id.bar));
    OpenOptions::new().read(true).write(true).open(&bar).map_err(|e| format!("{}: {e}", bar.display()))
}

fn find(id: DeviceId) -> Result<PathBuf, Failure> {
    let root = Path::new("/sys/bus/pci/devices");
    let devices = fs::read_dir(root).map_err(|e| format!("{}: {e}: a kernel without PCI?", root.display()))?;
    let hex = |path: PathBuf| {
        sys::read_line(path).and_then(|text| u32::from_str_radix(text.trim_start_matches("0x"), 16).ok())
    };
    devices
        .flatten()
        .map(|entry| entry.path())
        .find(|p| hex(p.join("vendor")) == Some(id.vendor) && hex(p.join("device")) == Some(id.device))
        .ok_or_else(|| format!("no PCI device {:04x}:{:04x}", id.vendor, id.device))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|e| format!("writing {text} to {}: {e}", path.display()))
}

/// The device that stops the machine.
pub struct StopDevice {
    bar: File,
    register: Mapping,
}

impl StopDevice {
    /// Maps the device's event register.
    pub fn open() -> Result<Self, Failure> {
        let bar = enable(PVPANIC)?;
        let register = Mapping::new(Some(bar.as_raw_fd()), 0, 4096)?;
        Ok(Self { bar, register })
    }

    /// The BAR's descriptor.
    pub fn fd(&self) -> RawFd {
        self.bar.as_raw_fd()
    }

    /// Stops the machine at this instruction.
    pub fn stop_machine(&self) {
        // SAFETY: the register is the mapping's first byte; bit 0 means "panicked", which the host answers by pausing.
        unsafe { self.register.as_ptr().write_volatile(1) };
    }
}
