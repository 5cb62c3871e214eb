//! Fetching ready-made kernels: Debian's `-cloud-amd64` packages, which hold an image, and its configuration, and need
//! no build.

mod apt;
mod download;
mod mirror;
mod offer;
mod package;
mod program;
mod unpack;

use std::time::Duration;

use crate::{Cache, Entry, Environment, Error, ImageInfo, KernelSpec, Origin, Progress, Slot, VersionRange};
use apt::Apt;
use offer::{Offer, Offers};
use package::pinned;

/// The suite with the newest kernels, and the one with 6.12, which has no sched_ext.
const SUITES: [&str; 2] = ["trixie-backports", "bookworm-backports"];
/// How old the index may be when the question is only whether there is something newer.
const INDEX_AGE: Duration = Duration::from_secs(24 * 3600);

/// What to fetch.
#[derive(Clone, Debug, Default)]
pub struct FetchRequest {
    /// A version, series, range or key; without one, the newest kernel there is.
    pub wanted: Option<KernelSpec>,
    /// Look for a newer kernel although the cache has one that is meant.
    pub refresh: bool,
}

/// A kernel that is now in the cache.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its entry.
    pub entry: Entry,
    /// Whether it was there before.
    pub was_cached: bool,
}

impl Fetched {
    fn cached(entry: Entry) -> Self {
        Self { entry, was_cached: true }
    }
}

/// Puts a ready-made kernel into the cache. A series or range that the cache already covers is not looked up again.
///
/// # Errors
/// When nothing is offered for the request, it cannot be downloaded or verified, or the cache cannot be written.
pub fn fetch(
    request: &FetchRequest,
    env: &Environment,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Fetched, Error> {
    let wanted = request.wanted.as_ref();
    if let Some(KernelSpec::Path(_) | KernelSpec::Git { .. }) = wanted {
        return Err(Error::NotFetchable { wanted: wanted.map(KernelSpec::to_string).unwrap_or_default() });
    }
    let cached = newest_fetched(cache, wanted)?;
    match (wanted, cached) {
        (Some(_), Some(entry)) if !request.refresh => return Ok(Fetched::cached(entry)),
        (None, Some(entry)) => return newest(entry, request.refresh, env, cache, progress),
        _ => {}
    }
    let apt = Apt::prepare(cache, env)?;
    let offer = find(&apt, wanted, progress)?;
    install(&offer, &apt, cache, progress)
}

/// Without a version: looks once a day whether there is a kernel newer than `cached`, and makes do with that one when
/// the network is away.
fn newest(
    cached: Entry,
    refresh: bool,
    env: &Environment,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Fetched, Error> {
    if !refresh
        && let Some(index) = apt::recent_index(cache, SUITES[0], INDEX_AGE)
        && offers(&index).newest(None).is_none_or(|offer| offer.release == cached.key())
    {
        return Ok(Fetched::cached(cached));
    }
    let found = Apt::prepare(cache, env).and_then(|apt| {
        progress.step("Looking for a newer kernel");
        let index = apt.index(SUITES[0], Duration::ZERO)?;
        Ok((apt, index))
    });
    match found {
        Ok((apt, index)) => match offers(&index).newest(None) {
            Some(offer) if offer.release != cached.key() => install(offer, &apt, cache, progress),
            _ => Ok(Fetched::cached(cached)),
        },
        Err(error) if refresh => Err(error),
        Err(error) => {
            progress.notice(&format!("could not look for a newer kernel: {error}"));
            Ok(Fetched::cached(cached))
        }
    }
}

/// What an index offers, completed from the pinned list.
fn offers(index: &str) -> Offers {
    Offers::of(&package::read_index(index), &pinned())
}

/// The newest kernel of the cache that `fetch` put there and `wanted` selects.
fn newest_fetched(cache: &Cache, wanted: Option<&KernelSpec>) -> Result<Option<Entry>, Error> {
    let slots = cache.list()?;
    let mut fetched = slots.iter().filter_map(Slot::ready).filter(|entry| {
        let metadata = entry.metadata();
        matches!(metadata.origin, Origin::Debian { .. })
            && wanted.is_none_or(|wanted| wanted.selects(entry.key(), metadata.version))
    });
    Ok(fetched.next().cloned())
}

/// The newest kernel that is offered for `wanted`: by the suites in turn, then by the pinned list alone.
fn find(apt: &Apt, wanted: Option<&KernelSpec>, progress: &dyn Progress) -> Result<Offer, Error> {
    let mut seen = Offers::default();
    let mut notes = Vec::new();
    for (nth, suite) in SUITES.into_iter().enumerate() {
        progress.step(&format!("Reading Debian's index of {suite}"));
        let index = match apt.index(suite, Duration::ZERO) {
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

/// The kernels that could be fetched now and lie in `range`, newest first, as releases.
///
/// # Errors
/// When the index cannot be read.
pub fn offered(range: &VersionRange, env: &Environment, cache: &Cache) -> Result<Vec<String>, Error> {
    let apt = Apt::prepare(cache, env)?;
    let mut all = Offers::of(&pinned(), &[]);
    for suite in SUITES {
        all.add(offers(&apt.index(suite, INDEX_AGE)?));
    }
    let in_range = all.kernels.into_iter().filter(|offer| range.accepts(offer.version));
    Ok(in_range.map(|offer| offer.release).collect())
}

fn install(offer: &Offer, apt: &Apt, cache: &Cache, progress: &dyn Progress) -> Result<Fetched, Error> {
    let key = &offer.release;
    let lock =
        cache.lock(key, || progress.step(&format!("Waiting for another process that fetches {key}")))?;
    // A corrupt entry is as good as none: it is written anew.
    if let Ok(Some(entry)) = cache.get(key) {
        return Ok(Fetched::cached(entry));
    }
    progress.step(&format!("Downloading {key} ({} MB)", offer.bytes().div_ceil(1_000_000)));
    let downloads = cache.downloads().join(key);
    let files = download::download(apt, &offer.packages, &downloads, progress)?;
    progress.step(&format!("Unpacking {key}"));
    let staged = cache.stage(&lock)?;
    unpack::unpack(&files, key, &staged.image(), &staged.config())?;
    let release = ImageInfo::read(&staged.image())?.release;
    if release != *key {
        return Err(Error::Layout {
            release: key.clone(),
            what: "kernel image with that release in its header",
        });
    }
    let packages = offer.packages.iter().map(|package| package.record.clone()).collect();
    let entry = staged.commit(Origin::Debian { packages })?;
    // Only a convenience is lost when it stays; `clean` takes it.
    let _ = std::fs::remove_dir_all(&downloads);
    Ok(Fetched { entry, was_cached: false })
}
