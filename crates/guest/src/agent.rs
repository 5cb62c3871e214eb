//! The boot agent as bytes, for the machine layer to boot templates with.

/// The static program that is PID 1 in every guest; see `agent/main.rs`.
pub const AGENT: &[u8] = include_bytes!(env!("KTSTR_AGENT"));
