//! Arithmetic of each width, in assembly: what a compiler makes of intrinsics without optimisation is mostly loads and
//! stores.

use std::arch::asm;

use ktstr_model::AluWidth;

/// Additions of one width, eight to a round, none of which needs another of the round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operations {
    Scalar,
    Vec128,
    Vec256,
    Vec512,
}

/// Eight vector additions a round. The addends are all ones, so that sums and addends are never zero for long.
macro_rules! add_vectors {
    ($rounds:expr, $set_ones:literal, $add:literal, $register:literal, $end:literal) => {
        // SAFETY: only the named registers change, no memory, and the CPU has the instructions, as `of` has found out.
        // An `xmm` that is given up stands for the wider registers of that number too.
        unsafe {
            asm!(
                $set_ones,
                "2:",
                concat!($add, " ", $register, "0, ", $register, "0, ", $register, "8"),
                concat!($add, " ", $register, "1, ", $register, "1, ", $register, "8"),
                concat!($add, " ", $register, "2, ", $register, "2, ", $register, "8"),
                concat!($add, " ", $register, "3, ", $register, "3, ", $register, "8"),
                concat!($add, " ", $register, "4, ", $register, "4, ", $register, "8"),
                concat!($add, " ", $register, "5, ", $register, "5, ", $register, "8"),
                concat!($add, " ", $register, "6, ", $register, "6, ", $register, "8"),
                concat!($add, " ", $register, "7, ", $register, "7, ", $register, "8"),
                "dec {rounds}",
                "jnz 2b",
                $end,
                rounds = inout(reg) $rounds => _,
                out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _,
                out("xmm5") _, out("xmm6") _, out("xmm7") _, out("xmm8") _,
                options(nomem, nostack),
            );
        }
    };
}

impl Operations {
    /// Those of a width, or why this CPU has none.
    pub(super) fn of(width: AluWidth) -> Result<Self, &'static str> {
        let (avx2, avx512) = (is_x86_feature_detected!("avx2"), is_x86_feature_detected!("avx512f"));
        match width {
            AluWidth::Scalar => Ok(Self::Scalar),
            AluWidth::Vec128 => Ok(Self::Vec128),
            AluWidth::Vec256 | AluWidth::Widest if avx2 && !(avx512 && width == AluWidth::Widest) => {
                Ok(Self::Vec256)
            }
            AluWidth::Vec512 | AluWidth::Widest if avx512 => Ok(Self::Vec512),
            AluWidth::Widest => Ok(Self::Vec128),
            AluWidth::Vec256 => {
                Err("Vec256 needs AVX2, which this machine's CPU does not have; write Vec128 or Widest")
            }
            AluWidth::Vec512 => {
                Err("Vec512 needs AVX-512, which this machine's CPU does not have; write Vec256 or Widest")
            }
        }
    }

    /// What it is, in words for a report.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "operands of 64 bits",
            Self::Vec128 => "operands of 128 bits",
            Self::Vec256 => "operands of 256 bits",
            Self::Vec512 => "operands of 512 bits",
        }
    }

    /// Does this many rounds, at least one.
    pub(super) fn run(self, rounds: u64) {
        let rounds = rounds.max(1);
        match self {
            Self::Scalar => add_numbers(rounds),
            Self::Vec128 => add_128(rounds),
            Self::Vec256 => add_vectors!(rounds, "vpcmpeqd ymm8, ymm8, ymm8", "vpaddq", "ymm", "vzeroupper"),
            Self::Vec512 => {
                add_vectors!(rounds, "vpternlogd zmm8, zmm8, zmm8, 0xff", "vpaddq", "zmm", "vzeroupper")
            }
        }
    }
}

fn add_numbers(rounds: u64) {
    // SAFETY: only the named registers change, and no memory.
    unsafe {
        asm!(
            "2:",
            "add r8, {one}",
            "add r9, {one}",
            "add r10, {one}",
            "add r11, {one}",
            "add rax, {one}",
            "add rcx, {one}",
            "add rdx, {one}",
            "add rsi, {one}",
            "dec {rounds}",
            "jnz 2b",
            one = in(reg) 1u64,
            rounds = inout(reg) rounds => _,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
            out("rax") _, out("rcx") _, out("rdx") _, out("rsi") _,
            options(nomem, nostack),
        );
    }
}

/// SSE2, which every x86-64 has, adds to one of its two operands.
fn add_128(rounds: u64) {
    // SAFETY: only the named registers change, and no memory.
    unsafe {
        asm!(
            "pcmpeqd xmm8, xmm8",
            "2:",
            "paddq xmm0, xmm8",
            "paddq xmm1, xmm8",
            "paddq xmm2, xmm8",
            "paddq xmm3, xmm8",
            "paddq xmm4, xmm8",
            "paddq xmm5, xmm8",
            "paddq xmm6, xmm8",
            "paddq xmm7, xmm8",
            "dec {rounds}",
            "jnz 2b",
            rounds = inout(reg) rounds => _,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _,
            out("xmm5") _, out("xmm6") _, out("xmm7") _, out("xmm8") _,
            options(nomem, nostack),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_is_as_wide_as_the_cpu_has_it() {
        let widest = Operations::of(AluWidth::Widest).unwrap();
        let wider = [AluWidth::Vec512, AluWidth::Vec256, AluWidth::Vec128].map(Operations::of);
        assert_eq!(Some(widest), wider.into_iter().find_map(Result::ok));
    }

    #[test]
    fn what_the_cpu_lacks_is_said() {
        for width in [AluWidth::Vec256, AluWidth::Vec512] {
            if let Err(why) = Operations::of(width) {
                assert!(why.contains(&format!("{width:?} needs AVX")), "{why}");
            }
        }
    }

    #[test]
    fn all_that_the_cpu_has_can_be_done() {
        let widths =
            [AluWidth::Scalar, AluWidth::Vec128, AluWidth::Vec256, AluWidth::Vec512, AluWidth::Widest];
        for operations in widths.into_iter().filter_map(|width| Operations::of(width).ok()) {
            operations.run(1000);
            operations.run(0);
        }
    }
}
