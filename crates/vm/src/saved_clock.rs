//! The clock in the saved state of a deterministic machine.
//!
//! Between the guest's stop and QEMU's own all vCPUs are idle, and QEMU may or may not move the clock to the next timer
//! before it stops: its main loop and its vCPU thread race. Nothing else of the machine differs, but clones of two such
//! templates would. So the clock is set to what the guest read just before it stopped.

use crate::command_line::ICOUNT_SHIFT;

/// The subsection of QEMU's `timer` section with the instruction counter (QEMU's softmmu/cpu-timers.c): a marker, the
/// name with its length, a version of 4 bytes, the bias in ns, the count. All numbers are big-endian. The name occurs
/// again, without these bytes before it, in the description that follows the state.
const SECTION: &[u8] = b"\x05\x0ctimer/icount";
const VERSION: usize = 4;
/// Before it come three words of the `timer` section itself: offsets of host clocks that a machine which counts
/// instructions does not use.
const HOST_CLOCKS: usize = 3 * 8;
/// From the guest's reading of the counter to the stop: more than the instructions in between take.
const MARGIN_NS: i64 = 2_000;

/// The farthest that QEMU may have moved the clock: no kernel's tick is longer.
const FARTHEST_NS: i64 = 1_000_000_000;

/// Sets the clock of `state` to `time_stamp`, in ns. False when the state has no such clock, or one of another time.
pub(crate) fn settle(state: &mut [u8], time_stamp: u64) -> bool {
    let mut found = state.windows(SECTION.len()).enumerate().filter(|(_, window)| *window == SECTION);
    let (Some((at, _)), None) = (found.next(), found.next()) else { return false };
    let bias_at = at + SECTION.len() + VERSION;
    let (Some(host_clocks), Some(count)) = (at.checked_sub(HOST_CLOCKS), word_at(state, bias_at + 8)) else {
        return false;
    };
    let counted = count << ICOUNT_SHIFT;
    let moved = word_at(state, bias_at).map(|bias| bias + counted - time_stamp as i64);
    if !moved.is_some_and(|ns| (0..FARTHEST_NS).contains(&ns)) {
        return false;
    }
    let bias = time_stamp as i64 + MARGIN_NS - counted;
    state[bias_at..bias_at + 8].copy_from_slice(&bias.to_be_bytes());
    state[host_clocks..host_clocks + 3 * 8].fill(0);
    true
}

fn word_at(state: &[u8], at: usize) -> Option<i64> {
    state.get(at..at + 8)?.try_into().ok().map(i64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(host_clock: u8, bias: i64, count: i64) -> Vec<u8> {
        let mut state = b"before\x05timer....####".to_vec();
        state.extend([host_clock; 24]);
        state.extend(b"\x05\x0ctimer/icount\0\0\0\x01");
        state.extend(bias.to_be_bytes());
        state.extend(count.to_be_bytes());
        state.extend(b"after");
        state
    }

    #[test]
    fn states_that_differ_in_the_warp_only_become_equal() {
        let (mut one, mut other) = (state(7, 1_000_100, 5), state(9, 1_244_000, 5));
        assert!(settle(&mut one, 1_000_000) && settle(&mut other, 1_000_000));
        assert_eq!(one, other);
        assert_eq!(one, state(0, 1_002_000 - 20, 5));
    }

    #[test]
    fn a_time_stamp_of_another_clock_is_refused() {
        for time_stamp in [0, 2_000_000_000] {
            assert!(!settle(&mut state(0, 1_500_000_000, 5), time_stamp));
        }
    }

    #[test]
    fn a_state_without_an_instruction_count_is_left_alone() {
        for text in [&b"no clock"[..], b"\x05\x0ctimer/icount", b"\x0ctimer/icount timer/icount"] {
            let mut state = text.to_vec();
            assert!(!settle(&mut state, 1));
            assert_eq!(state, text);
        }
    }
}
