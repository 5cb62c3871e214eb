//! CPUs that go off line and come back.

use std::fs;
use std::path::PathBuf;

use crate::error::{GuestError, on_file};

/// The CPUs that a scenario or a perturbation took off line. Dropping it brings them back.
#[derive(Debug, Default)]
pub(crate) struct OfflineCpus(Vec<u32>);

impl OfflineCpus {
    /// Takes a CPU off line: the kernel moves its tasks elsewhere first.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn take(&mut self, cpu: u32) -> Result<(), GuestError> {
        switch(cpu, "0")?;
        self.0.push(cpu);
        Ok(())
    }

    /// Brings a CPU back on line.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn bring(&mut self, cpu: u32) -> Result<(), GuestError> {
        switch(cpu, "1")?;
        self.0.retain(|other| *other != cpu);
        Ok(())
    }

    /// Brings all back on line.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn bring_back(&mut self) -> Result<(), GuestError> {
        while let Some(cpu) = self.0.pop() {
            switch(cpu, "1")?;
        }
        Ok(())
    }
}

impl Drop for OfflineCpus {
    fn drop(&mut self) {
        if let Err(error) = self.bring_back() {
            eprintln!("ktstr: {error}");
        }
    }
}

fn switch(cpu: u32, value: &str) -> Result<(), GuestError> {
    let path = PathBuf::from(format!("/sys/devices/system/cpu/cpu{cpu}/online"));
    fs::write(&path, value).map_err(on_file(format!("write `{value}` to"), &path))
}
