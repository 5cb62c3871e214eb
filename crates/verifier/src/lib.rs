//! The BPF verifier: reading what it logs.
//!
//! A loader prints the log of a program that was rejected among whatever else it prints; [`program_logs`] cuts the logs
//! out. [`Rejection`] says in a few lines what is wrong. [`collapse`] makes a log readable in which the verifier walks
//! a loop again and again; it keeps a window of lines only, so that logs of any size can be read.

mod collapse;
mod log_line;
mod program_log;
mod rejection;
mod window;

pub use collapse::{Collapse, Loop, Piece, collapse};
pub use program_log::{ProgramLog, program_logs};
pub use rejection::{LoggedInstruction, Rejection};
