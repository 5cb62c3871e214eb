//! CPUs that go off line and come back.

use ktstr_model::{Outage, Stimulus};

use super::stimulus;
use super::timetable::Timetable;
use crate::clock::monotonic_ns;
use crate::hotplug::OfflineCpus;

/// Takes CPUs off line and brings them back, one after the other. When it returns, all are on line again, or it says why
/// not.
pub(super) fn carry_out(mut outages: Vec<Outage>, timetable: &Timetable) -> Vec<Stimulus> {
    outages.sort_by_key(|outage| outage.at_ns);
    let (mut offline, mut done) = (OfflineCpus::default(), Vec::new());
    for outage in outages {
        if !timetable.wait_until(outage.at_ns) {
            break;
        }
        let began_ns = monotonic_ns();
        let taken = offline.take(outage.cpu);
        let until_ns = timetable.elapsed_ns().saturating_add(outage.for_ns);
        done.push(match taken {
            Ok(()) => stimulus(began_ns, format!("CPU {} off line", outage.cpu)),
            Err(error) => {
                done.push(stimulus(began_ns, format!("CPU {} stays on line: {error}", outage.cpu)));
                continue;
            }
        });
        timetable.wait_until(until_ns);
        let began_ns = monotonic_ns();
        done.push(match offline.bring(outage.cpu) {
            Ok(()) => stimulus(began_ns, format!("CPU {} on line", outage.cpu)),
            Err(error) => stimulus(began_ns, format!("CPU {} stays off line: {error}", outage.cpu)),
        });
    }
    done
}
