//! Kernels for ktstr: naming them, fetching them, keeping them, finding them.
//!
//! A [`KernelSpec`] is what a user writes. [`resolve`] and [`discover`] turn it, or its absence, into a [`Kernel`]: an
//! image with its identity. Kernels are kept in a [`Cache`], into which [`fetch`] puts Debian's ready-made ones and
//! [`build`] those that it compiles; [`resolve_or_get`] does what the spec needs. What all of them take from the process
//! they run in is an [`Environment`]. Slow work tells a [`Progress`] what it does.
//!
//! Fetching and building, and with them an HTTP client, come with the feature `get`. Test programs do without: they only
//! look for kernels that `cargo ktstr` has got.

mod age;
mod btf;
mod build;
mod cache;
mod checksum;
mod clean;
mod config;
mod discover;
mod entry;
mod environment;
mod error;
#[cfg(feature = "get")]
mod fetch;
#[cfg(feature = "get")]
mod get;
#[cfg(feature = "get")]
mod http;
mod ikconfig;
mod image;
mod kernel;
mod kernel_set;
mod leftover;
mod little_endian;
mod lock;
mod payload;
mod program;
mod progress;
mod range;
mod slot;
mod spec;
mod staging;
#[cfg(test)]
mod testing;
mod tree;
mod version;

pub use age::format_age;
pub use btf::{Btf, Function};
#[cfg(feature = "get")]
pub use build::{BuildRequest, BuildSource, Built, build};
pub use build::{Recipe, SourceRecord, Toolchain};
pub use cache::Cache;
pub use checksum::Sha256Sum;
pub use clean::{CleanChoice, to_remove};
pub use config::KernelConfig;
pub use discover::{cached, discover, resolve};
pub use entry::{Entry, EntryHold, METADATA_SCHEMA, Metadata, Origin, PackageRecord};
pub use environment::Environment;
pub use error::Error;
#[cfg(feature = "get")]
pub use fetch::{FetchRequest, Fetched, fetch, offered};
#[cfg(feature = "get")]
pub use get::resolve_or_get;
pub use image::ImageInfo;
pub use kernel::{Kernel, KernelSource};
pub use kernel_set::{KernelSet, LabelledKernel};
pub use leftover::{Leftover, LeftoverKind};
pub use lock::KeyLock;
pub use progress::{Progress, Silent};
pub use range::{Bound, VersionRange};
pub use slot::Slot;
pub use spec::KernelSpec;
pub use staging::StagedEntry;
pub use version::KernelVersion;
