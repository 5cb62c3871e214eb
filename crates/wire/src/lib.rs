//! Bytes that cross the border between host and guest: the channel's layout and what is written there.
//!
//! Host and guest halves of a run are one binary, so orders and reports need no version of their own; the channel's
//! layout, which templates on disk depend on, has one ([`layout::VERSION`]).

mod codec;
mod facts;
pub mod layout;
mod log;
pub mod session;

pub use codec::{DecodeError, decode, encode};
pub use facts::{FactsError, GuestFacts};
pub use log::{LogText, read_log};
