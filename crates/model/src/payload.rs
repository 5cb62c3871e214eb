//! External programs that run as part of a workload.

/// An external program that runs as part of a workload.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Payload {
    /// Its name in operations and results.
    pub name: &'static str,
    /// The program: a name that is looked for on the host's `PATH`, or a path.
    pub program: &'static str,
    /// Arguments of every start.
    pub args: &'static [&'static str],
}

impl Payload {
    /// A program without arguments.
    pub const fn binary(name: &'static str, program: &'static str) -> Self {
        Self { name, program, args: &[] }
    }

    /// Arguments of every start.
    pub const fn args(self, args: &'static [&'static str]) -> Self {
        Self { args, ..self }
    }
}
