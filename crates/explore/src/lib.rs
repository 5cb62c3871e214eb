//! Many varied runs of one test, to find what one run does not show.
//!
//! A [`Strategy`] gives each run a variation: another seed, stalls, priorities, CPUs that go off line. A campaign
//! ([`campaign`]) makes clones of one loaded template with them, as many at once as the host carries, keeps what came of
//! each in a folder, and groups the failures by signature. Each run is deterministic, so a failure can be seen again.

pub mod campaign;
mod entry;
mod folder;
mod ground;
mod groups;
mod interrupt;
mod live;
mod outcome;
mod request;
mod signature;
mod strategy;
mod summary;

pub use entry::process_entry;
pub use folder::{CampaignFolder, FolderError, Parameters};
pub use ground::Ground;
pub use groups::{Group, Tally};
pub use outcome::Outcome;
pub use request::{Again, Limit, REQUEST_ARGUMENT, Request};
pub use signature::Signature;
pub use strategy::{Strategy, StrategyName, UnknownStrategy, replay};
pub use summary::Summary;
