//! The four dimensions of a topology, judged as far as they are known here.

use ktstr_model::{Topology, TopologyError};
use proc_macro2::TokenStream;
use syn::{Error, Result};

/// One dimension that the author wrote.
pub struct Dimension {
    /// How many, at least 1.
    pub count: u32,
    /// What an error about it points at.
    pub token: TokenStream,
}

/// Dimensions as written; those that are absent come from elsewhere.
#[derive(Default)]
pub struct Dimensions {
    /// NUMA nodes.
    pub numa_nodes: Option<Dimension>,
    /// LLCs in total.
    pub llcs: Option<Dimension>,
    /// Cores per LLC.
    pub cores: Option<Dimension>,
    /// Threads per core.
    pub threads: Option<Dimension>,
}

fn count(dimension: &Option<Dimension>) -> Option<u32> {
    dimension.as_ref().map(|d| d.count)
}

impl Dimensions {
    /// Refuses what no value of an absent dimension could make a topology of.
    pub fn check(&self) -> Result<()> {
        let numa_nodes = count(&self.numa_nodes);
        let llcs = count(&self.llcs);
        let judged = Topology::new(
            if llcs.is_some() { numa_nodes.unwrap_or(1) } else { 1 },
            llcs.or(numa_nodes).unwrap_or(1),
            count(&self.cores).unwrap_or(1),
            count(&self.threads).unwrap_or(1),
        );
        let Err(error) = judged else { return Ok(()) };
        let culprit = match error {
            TopologyError::TooLarge { .. } => self.largest(),
            _ => self.llcs.as_ref(),
        };
        match culprit {
            Some(dimension) => Err(Error::new_spanned(&dimension.token, error)),
            None => Err(Error::new(proc_macro2::Span::call_site(), error)),
        }
    }

    fn largest(&self) -> Option<&Dimension> {
        let levels = [&self.threads, &self.cores, &self.llcs, &self.numa_nodes];
        levels.into_iter().flatten().max_by_key(|dimension| dimension.count)
    }

    /// All that were written, big to little.
    pub fn written(&self) -> impl Iterator<Item = &Dimension> {
        [&self.numa_nodes, &self.llcs, &self.cores, &self.threads].into_iter().flatten()
    }
}
