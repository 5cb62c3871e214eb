//! From a request to a cache entry.

use std::fs;

use super::{
    archive::Archive,
    choose::{find, is_newest},
    offer::Offer,
    unpack::unpack,
};
use crate::{Cache, Entry, Environment, Error, ImageInfo, KernelSpec, Origin, Progress, Slot};

/// What to fetch.
#[derive(Clone, Debug, Default)]
pub struct FetchRequest {
    /// A version, series, range or key; without one, the newest kernel there is.
    pub wanted: Option<KernelSpec>,
    /// Look for a newer kernel although the cache has one that is meant.
    pub refresh: bool,
    /// Without apt, take what a mirror says unverified where nothing can verify it.
    pub insecure: bool,
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

/// Puts a ready-made kernel into the cache. What the cache has is not looked up again; when nothing is named, the index
/// is asked once a day for something newer, and the cached kernel does when it cannot be read.
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
    if let Some(spec @ (KernelSpec::Path(_) | KernelSpec::Git { .. })) = wanted {
        return Err(Error::NotFetchable { wanted: spec.to_string() });
    }
    let cached = newest_fetched(cache, wanted)?;
    if let Some(entry) = &cached
        && !request.refresh
        && (wanted.is_some() || is_newest(entry.metadata().version, cache))
    {
        return Ok(Fetched::cached(entry.clone()));
    }
    let found = Archive::prepare(cache, env, request.insecure)
        .and_then(|archive| Ok((find(&archive, wanted, progress)?, archive)));
    match (found, cached) {
        (Ok((offer, _)), Some(entry)) if offer.version <= entry.metadata().version => {
            Ok(Fetched::cached(entry))
        }
        (Ok((offer, archive)), _) => install(&offer, &archive, cache, progress),
        (Err(error), Some(entry)) if wanted.is_none() && !request.refresh => {
            progress.notice(&format!("could not look for a newer kernel: {error}"));
            Ok(Fetched::cached(entry))
        }
        (Err(error), _) => Err(error),
    }
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

fn install(
    offer: &Offer,
    archive: &Archive,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Fetched, Error> {
    let key = &offer.release;
    let lock =
        cache.lock(key, || progress.step(&format!("Waiting for another process that fetches {key}")))?;
    // A corrupt entry is as good as none: it is written anew.
    if let Ok(Some(entry)) = cache.get(key) {
        return Ok(Fetched::cached(entry));
    }
    progress.step(&format!("Downloading {key} ({} MB)", offer.bytes().div_ceil(1_000_000)));
    let downloads = cache.downloads().join(key);
    let files = archive.download(&offer.packages, &downloads, progress)?;
    progress.step(&format!("Unpacking {key}"));
    let staged = cache.stage(&lock)?;
    unpack(&files, key, &staged.image(), &staged.config())?;
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
    let _ = fs::remove_dir_all(&downloads);
    Ok(Fetched { entry, was_cached: false })
}
