//! Named topologies, on each of which the gauntlet runs a test.

use crate::Topology;

/// A topology with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its name, as it stands in the names of cells.
    pub name: &'static str,
    /// The topology.
    pub topology: Topology,
}

const fn preset(name: &'static str, numa_nodes: u32, llcs: u32, cores: u32, threads: u32) -> Preset {
    Preset { name, topology: Topology::of(numa_nodes, llcs, cores, threads) }
}

/// All presets, from small to large within each kind.
pub static PRESETS: [Preset; 24] = [
    preset("tiny-1llc", 1, 1, 4, 1),
    preset("tiny-2llc", 1, 2, 2, 1),
    preset("odd-3llc", 1, 3, 3, 1),
    preset("odd-5llc", 1, 5, 3, 1),
    preset("odd-7llc", 1, 7, 2, 1),
    preset("smt-2llc", 1, 2, 2, 2),
    preset("smt-3llc", 1, 3, 2, 2),
    preset("medium-4llc", 1, 4, 4, 2),
    preset("medium-8llc", 1, 8, 4, 2),
    preset("large-4llc", 1, 4, 16, 2),
    preset("large-8llc", 1, 8, 8, 2),
    preset("near-max-llc", 1, 15, 8, 2),
    preset("max-cpu", 1, 14, 9, 2),
    preset("medium-4llc-nosmt", 1, 4, 8, 1),
    preset("medium-8llc-nosmt", 1, 8, 8, 1),
    preset("large-4llc-nosmt", 1, 4, 32, 1),
    preset("large-8llc-nosmt", 1, 8, 16, 1),
    preset("near-max-llc-nosmt", 1, 15, 16, 1),
    preset("max-cpu-nosmt", 1, 14, 18, 1),
    preset("numa2-4llc", 2, 4, 4, 1),
    preset("numa2-8llc", 2, 8, 8, 2),
    preset("numa2-8llc-nosmt", 2, 8, 16, 1),
    preset("numa4-8llc", 4, 8, 4, 1),
    preset("numa4-12llc", 4, 12, 8, 2),
];

impl Preset {
    /// The preset of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_presets_apart_and_say_how_many_llcs_there_are() {
        for preset in &PRESETS {
            assert_eq!(Preset::named(preset.name), Some(preset));
            let llcs = preset.name.split('-').find_map(|part| part.strip_suffix("llc"));
            if let Some(llcs) = llcs.filter(|count| !count.is_empty()) {
                assert_eq!(llcs, preset.topology.llcs().to_string(), "{}", preset.name);
            }
            if preset.name.ends_with("-nosmt") {
                assert_eq!(preset.topology.threads_per_core(), 1, "{}", preset.name);
            }
        }
        assert_eq!(Preset::named("tiny"), None);
    }
}
