//! What ktstr needs of a host: how to see whether it is there, and how to install what is not.
//!
//! [`missing`] looks at a [`Host`]; [`plan_install`] has the commands of the system's package manager that bring what is
//! missing, and [`Consent`] who may run them. `cargo ktstr doctor` and `cargo xtask setup` are both made of this.

mod apt;
mod cargo_tools;
mod consent;
mod error;
mod host;
mod install;
mod invocation;
mod program_package;
mod requirement;
mod version;

pub use cargo_tools::install_nextest;
pub use consent::{Consent, as_root};
pub use error::HostError;
pub use host::Host;
pub use install::plan_install;
pub use invocation::Invocation;
pub use program_package::package_of;
pub use requirement::{Missing, OF_OWN_TESTS, Packages, REQUIREMENTS, Requirement, missing};
pub use version::Version;
