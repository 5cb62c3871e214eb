//! Building kernels from source, configured for tests and nothing else.
//!
//! A [`BuildSource`] becomes a tree ([`kernel_org`], [`git`], [`tree_content`], [`export`]); its version chooses ktstr's [`fragment`]; both with
//! the programs ([`tools`]) are the [`recipe`], which names the entry. kbuild runs in a [`workspace`] ([`make`]), what
//! it made of the fragment is checked ([`check`], with reasons from [`kconfig`]), and so are the types that schedulers
//! are loaded against ([`scx_prototypes`]).

mod check;
mod export;
mod expression;
mod fragment;
mod git;
mod kconfig;
mod kernel_org;
mod make;
mod recipe;
mod request;
mod scx_prototypes;
mod source;
mod tools;
mod tree_content;
mod workspace;

pub use recipe::Recipe;
pub use request::{BuildRequest, Built, build};
pub use source::{BuildSource, SourceRecord};
pub use tools::Toolchain;
pub(crate) use tree_content::tree_identity;
