//! Which kernels a set of packages makes.

use std::collections::BTreeMap;

use super::package::Package;
use crate::{KernelSpec, KernelVersion};

/// Below this a `linux-image` package holds no image: since 6.19 it only depends on those that do.
const SMALLEST_IMAGE_PACKAGE: u64 = 1 << 20;

/// A kernel that can be downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What `uname -r` will print, and its key in the cache.
    pub release: String,
    /// The version that the release begins with.
    pub version: KernelVersion,
    /// The packages that hold its image and its configuration.
    pub packages: Vec<Package>,
}

impl Offer {
    /// Length of the packages.
    pub fn bytes(&self) -> u64 {
        self.packages.iter().map(|package| package.bytes).sum()
    }

    /// Whether the spec means this kernel.
    pub fn is_selected(&self, spec: &KernelSpec) -> bool {
        spec.selects(&self.release, self.version)
    }
}

/// What a set of packages offers.
#[derive(Debug, Default)]
pub struct Offers {
    /// Kernels, newest first.
    pub kernels: Vec<Offer>,
    /// Releases whose image is listed and whose configuration is nowhere, newest first.
    pub without_config: Vec<String>,
}

impl Offers {
    /// The kernels whose image is among `listed`. The package that goes with an image may also be one of `extra`,
    /// since Debian's index drops the two at different times.
    pub fn of(listed: &[Package], extra: &[Package]) -> Self {
        let companion = |image: &Package, release: &str| {
            let mut all = listed.iter().chain(extra);
            all.find(|p| p.release("base") == Some(release) && p.record.version == image.record.version)
                .cloned()
        };
        let mut found: BTreeMap<(KernelVersion, &str), Option<Vec<Package>>> = BTreeMap::new();
        for package in listed {
            let (release, packages) = if let Some(release) = package.release("binary") {
                (release, companion(package, release).map(|base| vec![package.clone(), base]))
            } else if package.bytes >= SMALLEST_IMAGE_PACKAGE
                && let Some(release) = package.release("image")
            {
                (release, Some(vec![package.clone()]))
            } else {
                continue;
            };
            // The release becomes a cache key, so it has to have the form of one.
            if let (Ok(version), Ok(KernelSpec::Key(_))) =
                (KernelVersion::from_release(release), release.parse())
            {
                found.insert((version, release), packages);
            }
        }
        let mut offers = Self::default();
        for ((version, release), packages) in found.into_iter().rev() {
            let release = release.to_owned();
            match packages {
                Some(packages) => offers.kernels.push(Offer { release, version, packages }),
                None => offers.without_config.push(release),
            }
        }
        offers
    }

    /// The newest kernel that `spec` means, or the newest of all.
    pub fn newest(&self, spec: Option<&KernelSpec>) -> Option<&Offer> {
        self.kernels.iter().find(|offer| spec.is_none_or(|spec| offer.is_selected(spec)))
    }

    /// Adds what another source offers.
    pub fn add(&mut self, other: Self) {
        let is_new = |offer: &Offer| self.kernels.iter().all(|known| known.release != offer.release);
        let new: Vec<_> = other.kernels.into_iter().filter(is_new).collect();
        self.kernels.extend(new);
        self.kernels.sort_by(|a, b| (b.version, &b.release).cmp(&(a.version, &a.release)));
        self.without_config.extend(other.without_config);
    }

    /// The newest version of each series, oldest series first, for an error message.
    pub fn summary(&self) -> String {
        let oldest_first = self.kernels.iter().rev().map(|offer| offer.version);
        let newest: BTreeMap<_, _> = oldest_first.map(|v| ((v.major, v.minor), v.to_string())).collect();
        newest.into_values().collect::<Vec<_>>().join(", ")
    }

    /// A note when `wanted` is known and only its configuration is gone.
    pub fn why_incomplete(&self, wanted: &str) -> Option<String> {
        let spec: KernelSpec = wanted.parse().ok()?;
        let gone = self.without_config.iter().find(|release| {
            KernelVersion::from_release(release).is_ok_and(|version| spec.selects(release, version))
        })?;
        Some(format!(
            "Debian still lists {gone}, but no longer the package with its configuration, which guests need"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PackageRecord, Sha256Sum, fetch::package::pinned};

    fn package(name: &str, version: &str, bytes: u64) -> Package {
        let name = format!("linux-{name}-cloud-amd64");
        let record = PackageRecord { version: version.into(), sha256: Sha256Sum::of(name.as_bytes()), name };
        Package { path: format!("pool/{}.deb", record.name), record, bytes }
    }

    fn releases(offers: &Offers) -> Vec<&str> {
        offers.kernels.iter().map(|offer| offer.release.as_str()).collect()
    }

    #[test]
    fn pairs_images_with_their_configurations() {
        let listed = [
            package("image-6.18.9+deb13", "6.18.9-1", 50 << 20),
            package("image-6.18.15+deb13", "6.18.15-1", 50 << 20),
            package("image-7.0.13+deb13", "7.0.13-1", 1920),
            package("binary-7.0.13+deb13", "7.0.13-1", 13 << 20),
            package("binary-7.0.12+deb13", "7.0.12-1", 13 << 20),
            package("base-7.0.12+deb13", "7.0.12-2", 1 << 20),
            package("binary-7.3.4+deb13", "7.3.4-1", 13 << 20),
            package("base-7.3.4+deb13", "7.3.4-1", 1 << 20),
            package("binary-unsigned-7.3.4+deb13", "7.3.4-1", 13 << 20),
            package("image-7.3.4+deb13-cloud-amd64-dbg", "7.3.4-1", 13 << 20),
        ];
        let extra = [
            package("base-7.0.13+deb13", "7.0.13-1", 1 << 20),
            package("base-9.9.9+deb13", "9.9.9-1", 1 << 20),
        ];
        let offers = Offers::of(&listed[..9], &extra);
        assert_eq!(
            releases(&offers),
            ["7.3.4", "7.0.13", "6.18.15", "6.18.9"].map(|v| format!("{v}+deb13-cloud-amd64"))
        );
        assert_eq!(offers.without_config, ["7.0.12+deb13-cloud-amd64"]);
        assert_eq!(offers.kernels[1].bytes(), 14 << 20);
        let newest = |spec: &str| offers.newest(Some(&spec.parse().unwrap())).map(|o| o.version.to_string());
        assert_eq!(newest("6.18").as_deref(), Some("6.18.15"));
        assert_eq!(newest("6.18.9").as_deref(), Some("6.18.9"));
        assert_eq!(newest("6.16..=7.0").as_deref(), Some("7.0.13"));
        assert_eq!(newest("7.0.12"), None);
        assert_eq!(newest("7.3.4+deb13-cloud-amd64").as_deref(), Some("7.3.4"));
    }

    #[test]
    fn the_pins_alone_offer_each_series() {
        let offers = Offers::of(&pinned(), &[]);
        assert_eq!(
            offers.summary(),
            "6.12.95, 6.16.12, 6.17.13, 6.18.15, 6.19.14, 7.0.13, 7.1.13, 7.2.12, 7.3.4"
        );
        assert!(offers.without_config.is_empty());
    }
}
