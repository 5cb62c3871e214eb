//! What runs inside a guest.

mod agent;

pub use agent::AGENT;
