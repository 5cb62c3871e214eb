//! Fetching ready-made kernels: Debian's `-cloud-amd64` packages, which need no build.
//!
//! The system's apt reads Debian's signed index ([`apt`]), or ktstr does where there is none ([`plain`]); its packages, completed from a pinned list of those that it
//! dropped ([`package`]), make kernels ([`offer`]), of which the newest that is meant is chosen ([`choose`]),
//! downloaded (by apt: [`apt_download`]), unpacked ([`unpack`]) and put into the cache ([`request`]).

mod apt;
mod apt_download;
mod archive;
mod choose;
mod deb;
mod mirror;
mod offer;
mod package;
mod plain;
mod program;
mod request;
mod unpack;

pub use choose::offered;
pub use request::{FetchRequest, Fetched, fetch};
