//! What the kernel says of the BPF programs and maps that a scheduler loaded.

use serde::{Deserialize, Serialize};

/// How many instructions the verifier walks at most before it rejects a program (`BPF_COMPLEXITY_LIMIT_INSNS` in
/// `include/linux/bpf.h`).
pub const VERIFIED_INSNS_LIMIT: u32 = 1_000_000;

/// The share of the limit from which on a program is warned of, in percent.
const NEAR_LIMIT_PERCENT: f64 = 75.0;

/// A program that the verifier has accepted (`struct bpf_prog_info`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BpfProgram {
    /// The whole name of its function, from BTF; the kernel's own field keeps 15 bytes.
    pub name: String,
    /// Its type, as in `struct_ops`.
    pub kind: String,
    /// How many instructions the verifier walked, each as often as it did.
    pub verified_insns: u32,
    /// How many instructions it has, after the verifier has rewritten it.
    pub insns: u32,
    /// How many bytes of machine code the JIT made of them; 0 when there is no JIT.
    pub jited_bytes: u32,
    /// How long its verification took, in microseconds, when its loader had the verifier say so and printed it.
    pub verification_us: Option<u64>,
    /// The names of the maps that it uses.
    pub maps: Vec<String>,
}

impl BpfProgram {
    /// The share of [`VERIFIED_INSNS_LIMIT`] that its verification took, in percent.
    pub fn percent_of_limit(&self) -> f64 {
        f64::from(self.verified_insns) * 100.0 / f64::from(VERIFIED_INSNS_LIMIT)
    }

    /// Whether that share is one to worry about: the next feature, or the next kernel, may be too much.
    pub fn is_near_limit(&self) -> bool {
        self.percent_of_limit() >= NEAR_LIMIT_PERCENT
    }
}

/// A map of BPF programs (`struct bpf_map_info`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BpfMap {
    /// Its name, at most 15 bytes of it.
    pub name: String,
    /// Its type, as in `hash`.
    pub kind: String,
    /// How many entries it may have.
    pub max_entries: u32,
    /// Kernel memory that it takes, in bytes (`memlock` of its file).
    pub memory_bytes: u64,
}

/// All that a scheduler loaded, in the order in which it did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BpfObjects {
    /// Its programs.
    pub programs: Vec<BpfProgram>,
    /// The maps that they use.
    pub maps: Vec<BpfMap>,
}
