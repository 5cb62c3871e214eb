//! Choosing among the kernels that Debian offers.

use std::time::Duration;

use super::{
    apt,
    archive::Archive,
    offer::{Offer, Offers},
    package::{pinned, read_index},
};
use crate::{Cache, Environment, Error, KernelSpec, KernelVersion, Progress, VersionRange};

/// The suite with the newest kernels, and the one with 6.12, which has no sched_ext.
const SUITES: [&str; 2] = ["trixie-backports", "bookworm-backports"];
/// How old the index may be when the question is only whether there is something newer.
const INDEX_AGE: Duration = Duration::from_secs(24 * 3600);

/// What an index offers, completed from the pinned list.
fn offers(index: &str) -> Offers {
    Offers::of(&read_index(index), &pinned())
}

/// Whether the index was read within a day and has nothing newer than `version`; no program is run for it.
pub fn is_newest(version: KernelVersion, cache: &Cache) -> bool {
    let index = apt::recent_index(cache, SUITES[0], INDEX_AGE);
    index.is_some_and(|index| offers(&index).newest(None).is_none_or(|offer| offer.version <= version))
}

/// The newest kernel that is offered for `wanted`: by the suites in turn, then by the pinned list alone.
pub fn find(archive: &Archive, wanted: Option<&KernelSpec>, progress: &dyn Progress) -> Result<Offer, Error> {
    let mut seen = Offers::default();
    let mut notes = Vec::new();
    for (nth, suite) in SUITES.into_iter().enumerate() {
        progress.step(&format!("Reading Debian's index of {suite}"));
        let index = match archive.index(suite, Duration::ZERO) {
            Ok(index) => index,
            // The first names most kernels: without it there is no network, or the wrong mirror.
            Err(error) if nth == 0 => return Err(error),
            Err(error) => {
                notes.push(error.to_string());
                continue;
            }
        };
        let offers = offers(&index);
        if let Some(offer) = offers.newest(wanted) {
            return Ok(offer.clone());
        }
        seen.add(offers);
    }
    let offers = Offers::of(&pinned(), &[]);
    if let Some(offer) = offers.newest(wanted) {
        return Ok(offer.clone());
    }
    seen.add(offers);
    let wanted = wanted.map_or("at all".to_owned(), KernelSpec::to_string);
    notes.extend(seen.why_incomplete(&wanted));
    Err(Error::NotOffered { wanted, offered: seen.summary(), notes })
}

/// The kernels that could be fetched now and lie in `range`, newest first, as releases; `insecure` as in
/// [`FetchRequest`](super::FetchRequest).
///
/// # Errors
/// When the index cannot be read.
pub fn offered(
    range: &VersionRange,
    insecure: bool,
    env: &Environment,
    cache: &Cache,
) -> Result<Vec<String>, Error> {
    let archive = Archive::prepare(cache, env, insecure)?;
    let mut all = Offers::of(&pinned(), &[]);
    for suite in SUITES {
        all.add(offers(&archive.index(suite, INDEX_AGE)?));
    }
    let in_range = all.kernels.into_iter().filter(|offer| range.accepts(offer.version));
    Ok(in_range.map(|offer| offer.release).collect())
}
