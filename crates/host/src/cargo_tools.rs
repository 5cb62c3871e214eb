//! Tools that come from the Rust package registry.

use crate::Invocation;

/// Installs cargo-nextest, for this user.
pub fn install_nextest() -> Invocation {
    // Without its own updater, which brings a TLS library along.
    Invocation::new("cargo install --locked --no-default-features --features default-no-update cargo-nextest")
}
