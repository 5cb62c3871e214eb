//! What a saved deterministic machine may owe to the instant at which QEMU stopped it.
//!
//! When the guest stops its machine, all other vCPUs are idle. Until QEMU's main loop has stopped the vCPUs' thread, it may
//! move the clock to the next timer, and the thread may run that timer: which of it happens is a race of two threads of
//! the host. The timer is a local APIC's, because the guest stops where no other is near. No guest instruction is
//! executed any more, so what was done can be undone: the clock is set to what the guest read just before its stop, and
//! a timer that ran after it is set up again.
//!
//! All numbers in a saved state are big-endian.

use crate::command_line::ICOUNT_SHIFT;

/// The subsection of QEMU's `timer` section with the instruction counter (QEMU's softmmu/cpu-timers.c): a marker, the
/// name with its length, a version of 4 bytes, the bias in ns, the count. The name occurs again, without these bytes
/// before it, in the description that follows the state.
const CLOCK: &[u8] = b"\x05\x0ctimer/icount";
/// Before it come three words of the `timer` section itself: offsets of host clocks that a machine which counts
/// instructions does not use.
const HOST_CLOCKS: usize = 3 * 8;
/// From the guest's reading of the counter to the stop: more than the instructions in between take.
const MARGIN_NS: i64 = 2_000;
/// The farthest that QEMU may have moved the clock: no kernel's tick is longer.
const FARTHEST_NS: i64 = 1_000_000_000;

/// Makes `state` that of a machine which stopped at `time_stamp`, in ns, and did nothing more. False when the state has
/// no clock that is known here, or one of another time.
pub(crate) fn settle(state: &mut [u8], time_stamp: u64) -> bool {
    let Ok(stopped_at) = i64::try_from(time_stamp) else { return false };
    if !set_clock(state, stopped_at) {
        return false;
    }
    let (apics, cpus) = (sections(state, APIC), sections(state, CPU));
    for (apic, cpu) in apics.into_iter().zip(cpus) {
        set_up_timer_again(state, apic, cpu, stopped_at);
    }
    true
}

fn set_clock(state: &mut [u8], stopped_at: i64) -> bool {
    const VERSION: usize = 4;
    let mut found = state.windows(CLOCK.len()).enumerate().filter(|(_, window)| *window == CLOCK);
    let (Some((at, _)), None) = (found.next(), found.next()) else { return false };
    let bias_at = at + CLOCK.len() + VERSION;
    let (Some(host_clocks), Some(count)) = (at.checked_sub(HOST_CLOCKS), i64_at(state, bias_at + 8)) else {
        return false;
    };
    let counted = count << ICOUNT_SHIFT;
    let moved = i64_at(state, bias_at).map(|bias| bias + counted - stopped_at);
    if !moved.is_some_and(|ns| (0..FARTHEST_NS).contains(&ns)) {
        return false;
    }
    put(state, bias_at, (stopped_at + MARGIN_NS - counted).to_be_bytes());
    state[host_clocks..host_clocks + HOST_CLOCKS].fill(0);
    true
}

/// A section's name and the version whose layout is known here.
struct Kind {
    name: &'static [u8],
    version: u32,
}

/// `vmstate_apic_common` of QEMU's hw/intc/apic_common.c; one section a CPU.
const APIC: Kind = Kind { name: b"\x04apic", version: 3 };
const IRR: usize = 77;
const LVT_TIMER: usize = 109;
const NEXT_TIME: usize = 165;
const TIMER_EXPIRY: usize = 173;
/// `vmstate_cpu_common` of QEMU's hw/core/cpu-system.c; one section a CPU.
const CPU: Kind = Kind { name: b"\x0acpu_common", version: 1 };
const INTERRUPT_REQUEST: usize = 4;
/// `CPU_INTERRUPT_HARD` of QEMU's include/exec/cpu-all.h.
const HARD: u32 = 2;

/// Where the fields of all sections of a kind begin, in the order of the CPUs.
fn sections(state: &[u8], kind: Kind) -> Vec<usize> {
    /// Of a section with all of its device's state; the section's number follows.
    const FULL: u8 = 4;
    let name = kind.name;
    let found = state.windows(name.len()).enumerate().filter(|(_, window)| *window == name);
    found
        .filter(|(at, _)| at.checked_sub(5).is_some_and(|start| state[start] == FULL))
        .map(|(at, _)| at + name.len() + 8)
        .filter(|fields| u32_at(state, fields - 4) == Some(kind.version))
        .collect()
}

/// Undoes what a local APIC's timer did that ran after the guest had stopped.
fn set_up_timer_again(state: &mut [u8], apic: usize, cpu: usize, stopped_at: i64) {
    const NOT_SET: i64 = -1;
    let words = (i64_at(state, apic + TIMER_EXPIRY), i64_at(state, apic + NEXT_TIME));
    let (Some(NOT_SET), Some(next)) = words else { return };
    if next <= stopped_at {
        return;
    }
    let (Some(vector), Some(requests)) =
        (u32_at(state, apic + LVT_TIMER), u32_at(state, cpu + INTERRUPT_REQUEST))
    else {
        return;
    };
    let vector = (vector & 0xff) as usize;
    let irr_at = apic + IRR + 4 * (vector / 32);
    let Some(irr) = u32_at(state, irr_at) else { return };
    put(state, apic + TIMER_EXPIRY, next.to_be_bytes());
    put(state, irr_at, (irr & !(1 << (vector % 32))).to_be_bytes());
    put(state, cpu + INTERRUPT_REQUEST, (requests & !HARD).to_be_bytes());
}

fn i64_at(state: &[u8], at: usize) -> Option<i64> {
    state.get(at..at + 8)?.try_into().ok().map(i64::from_be_bytes)
}

fn u32_at(state: &[u8], at: usize) -> Option<u32> {
    state.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

fn put<const N: usize>(state: &mut [u8], at: usize, bytes: [u8; N]) {
    state[at..at + N].copy_from_slice(&bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTOR: u32 = 0xec;

    struct Timer {
        expiry: i64,
        irr: u32,
        requests: u32,
    }

    const SET: Timer = Timer { expiry: 1_000_400, irr: 0, requests: 0 };
    const RAN: Timer = Timer { expiry: -1, irr: 1 << (VECTOR % 32), requests: HARD };

    fn section(kind: Kind, fields: &[u8]) -> Vec<u8> {
        let (instance, version) = (7u32.to_be_bytes(), kind.version.to_be_bytes());
        [&[4, 0, 0, 0, 9], kind.name, &instance, &version, fields].concat()
    }

    fn state(host_clock: u8, bias: i64, count: i64, timer: &Timer) -> Vec<u8> {
        let mut cpu = [0; 8];
        put(&mut cpu, INTERRUPT_REQUEST, timer.requests.to_be_bytes());
        let mut apic = [0; TIMER_EXPIRY + 8];
        put(&mut apic, IRR + 4 * (VECTOR as usize / 32), timer.irr.to_be_bytes());
        put(&mut apic, LVT_TIMER, VECTOR.to_be_bytes());
        put(&mut apic, NEXT_TIME, 1_000_400i64.to_be_bytes());
        put(&mut apic, TIMER_EXPIRY, timer.expiry.to_be_bytes());
        let mut state = [b"before\x05timer....####", &[host_clock; 24][..], CLOCK, &[0, 0, 0, 1]].concat();
        state.extend(bias.to_be_bytes());
        state.extend(count.to_be_bytes());
        state.extend(section(CPU, &cpu));
        state.extend(section(APIC, &apic));
        state.extend(b"{\"name\": \"apic\", \"timer/icount\"}");
        state
    }

    #[test]
    fn whatever_qemu_did_after_the_stop_is_undone() {
        let stopped = state(0, 1_002_000 - 20, 5, &SET);
        for mut other in
            [state(7, 1_000_100, 5, &SET), state(9, 1_000_380, 5, &SET), state(9, 1_000_380, 5, &RAN)]
        {
            assert!(settle(&mut other, 1_000_000));
            assert_eq!(other, stopped);
        }
    }

    #[test]
    fn a_timer_that_ran_before_the_stop_stays_as_it_is() {
        let mut state = state(0, 2_000_000, 5, &RAN);
        let before = state.clone();
        assert!(settle(&mut state, 1_500_000));
        let apic = sections(&state, APIC)[0];
        assert_eq!(state[apic..], before[apic..]);
    }

    #[test]
    fn a_time_stamp_of_another_clock_is_refused() {
        for time_stamp in [0, 2_000_000_000, u64::MAX] {
            assert!(!settle(&mut state(0, 1_500_000_000, 5, &SET), time_stamp));
        }
    }

    #[test]
    fn a_state_without_an_instruction_count_is_left_alone() {
        for text in [&b"no clock"[..], CLOCK, b"\x0ctimer/icount timer/icount"] {
            let mut state = text.to_vec();
            assert!(!settle(&mut state, 1));
            assert_eq!(state, text);
        }
    }
}
