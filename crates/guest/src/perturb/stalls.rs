//! CPUs that do nothing else for a while.

use std::hint::spin_loop;

use ktstr_model::{Stall, Stimulus, format_ns};

use super::stimulus;
use super::timetable::Timetable;
use crate::clock::monotonic_ns;

/// Keeps the CPU that this thread is pinned to busy at the times of `stalls`. One that is due while another lasts begins
/// when that has ended.
pub(super) fn carry_out(cpu: u32, mut stalls: Vec<Stall>, timetable: &Timetable) -> Vec<Stimulus> {
    stalls.sort_by_key(|stall| stall.at_ns);
    let (mut count, mut sum_ns, mut first_ns) = (0, 0, 0);
    for stall in stalls {
        if !timetable.wait_until(stall.at_ns) {
            break;
        }
        let began_ns = monotonic_ns();
        while monotonic_ns() < began_ns + stall.for_ns {
            spin_loop();
        }
        first_ns = if count == 0 { began_ns } else { first_ns };
        count += 1;
        sum_ns += monotonic_ns() - began_ns;
    }
    if count == 0 {
        return Vec::new();
    }
    let plural = if count == 1 { "" } else { "s" };
    vec![stimulus(first_ns, format!("{count} stall{plural} of CPU {cpu}, {} in all", format_ns(sum_ns)))]
}
