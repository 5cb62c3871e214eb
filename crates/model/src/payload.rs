//! External programs that run as part of a workload.

mod metric;
mod report;

pub use metric::{Metric, MetricCheck, MetricSource, Polarity};
pub use report::{MetricValue, PayloadEnd, PayloadReport};

/// How a program is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedExit {
    /// With this code.
    Code(i32),
    /// In any way.
    Any,
}

/// An external program that runs as part of a workload, and what its output says.
///
/// A test names the programs that it runs (`payload = ..`, `workloads = [..]`), so that they are brought into its guest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Payload {
    /// Its name in operations and results.
    pub name: &'static str,
    /// The program: a name that is looked for beside the test binary, in cargo's target folder and on the host's `PATH`, or
    /// a path with a slash, relative to the test's package.
    pub program: &'static str,
    /// Arguments of every start.
    pub args: &'static [&'static str],
    /// Files and folders of the host that the guest gets under `/include-files/`, relative to the test's package.
    pub include_files: &'static [&'static str],
    /// How it is to end.
    pub exit: ExpectedExit,
    /// The figures in its output.
    pub metrics: &'static [Metric],
    /// Bounds of those figures.
    pub checks: &'static [MetricCheck],
}

impl Payload {
    /// A program without arguments that is to exit with code 0.
    pub const fn binary(name: &'static str, program: &'static str) -> Self {
        let exit = ExpectedExit::Code(0);
        Self { name, program, args: &[], include_files: &[], exit, metrics: &[], checks: &[] }
    }

    /// Arguments of every start.
    pub const fn args(self, args: &'static [&'static str]) -> Self {
        Self { args, ..self }
    }

    /// Files and folders of the host that the guest gets under `/include-files/`.
    pub const fn include_files(self, include_files: &'static [&'static str]) -> Self {
        Self { include_files, ..self }
    }

    /// The code that it is to exit with.
    pub const fn exit_code(self, code: i32) -> Self {
        Self { exit: ExpectedExit::Code(code), ..self }
    }

    /// It may end in any way.
    pub const fn any_exit(self) -> Self {
        Self { exit: ExpectedExit::Any, ..self }
    }

    /// The figures in its output.
    pub const fn metrics(self, metrics: &'static [Metric]) -> Self {
        Self { metrics, ..self }
    }

    /// Bounds of those figures.
    pub const fn checks(self, checks: &'static [MetricCheck]) -> Self {
        Self { checks, ..self }
    }
}
