//! Building kernels from source, configured for tests and nothing else.
//!
//! A [`BuildSource`] becomes a tree ([`kernel_org`], [`git`], [`export`]), which is told from all
//! others by its content ([`tree_content`]); its version chooses ktstr's [`fragment`]; both with
//! the programs ([`tools`]) are the [`recipe`], which names the entry. kbuild runs in a [`workspace`] ([`make`]), what
//! it made of the fragment is checked ([`check`], with reasons from [`kconfig`]), and so are the types that schedulers
//! are loaded against ([`scx_prototypes`]).

#[cfg(feature = "get")]
mod check;
#[cfg(feature = "get")]
mod export;
#[cfg(feature = "get")]
mod expression;
mod fragment;
#[cfg(feature = "get")]
mod git;
#[cfg(feature = "get")]
mod hidden_changes;
#[cfg(feature = "get")]
mod kconfig;
#[cfg(feature = "get")]
mod keep;
#[cfg(feature = "get")]
mod kernel_org;
#[cfg(feature = "get")]
mod make;
#[cfg(feature = "get")]
mod object_count;
mod recipe;
#[cfg(feature = "get")]
mod request;
#[cfg(feature = "get")]
mod scx_prototypes;
mod source;
mod tools;
mod tree_content;
mod tree_git;
mod tree_snapshot;
mod tree_sum;
mod tree_walk;
#[cfg(feature = "get")]
mod workspace;

pub use recipe::Recipe;
#[cfg(feature = "get")]
pub use request::{BuildRequest, Built, build};
#[cfg(feature = "get")]
pub use source::BuildSource;
pub use source::SourceRecord;
pub use tools::Toolchain;
pub(crate) use tree_content::tree_identity;
