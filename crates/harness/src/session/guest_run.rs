//! In the guest: a test process, started by hand, and what it left.

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus};

use ktstr_guest::by_hand::start_test_process;
use ktstr_model::RunOrder;
use ktstr_vm::{ChannelReader, VmError, Work, channel_with_order};
use ktstr_wire::layout::{stage, word};

use super::commands::SessionError;
use crate::error::HarnessError;
use crate::evidence::{Evidence, TestExit};

/// A test process with a channel in this guest's memory.
pub(super) struct GuestRun {
    reader: ChannelReader,
    child: Child,
}

impl GuestRun {
    /// Starts one that has `order` in front of it. One in the background is in a process group of its own.
    pub(super) fn start(order: &RunOrder, in_background: bool) -> Result<Self, SessionError> {
        let encoded = ktstr_wire::encode(order).map_err(|error| HarnessError::Order(error.to_string()))?;
        let channel: File = channel_with_order(Work { seed: order.seed, order: &encoded })?;
        let child = start_test_process(&channel, in_background).map_err(SessionError::Start)?;
        Ok(Self { reader: ChannelReader::of(&channel)?, child })
    }

    /// The process's id.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether the scheduler is enabled and the body has begun.
    pub(super) fn has_begun(&self) -> Result<bool, VmError> {
        Ok(self.reader.u32(word::STAGE)? >= stage::TEST_BEGAN)
    }

    /// What is left of the process when it has ended.
    pub(super) fn look(&mut self) -> Result<Option<Evidence>, SessionError> {
        let status = self.child.try_wait().map_err(SessionError::Wait)?;
        Ok(status.map(|status| Evidence::of_process(&self.reader, exit_of(status))))
    }

    /// Waits for the end of the process.
    pub(super) fn wait(mut self) -> Result<Evidence, SessionError> {
        let status = self.child.wait().map_err(SessionError::Wait)?;
        Ok(Evidence::of_process(&self.reader, exit_of(status)))
    }
}

fn exit_of(status: ExitStatus) -> Option<TestExit> {
    let number = |value: i32| u32::try_from(value).unwrap_or(0);
    let signal = status.signal().map(|signal| TestExit::Signal(number(signal)));
    signal.or_else(|| status.code().map(|code| TestExit::Code(number(code))))
}
