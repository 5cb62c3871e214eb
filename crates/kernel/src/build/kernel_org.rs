//! The releases on kernel.org, or on a mirror of it, and their archives.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{Bound, Cache, Environment, Error, KernelSpec, KernelVersion, Progress, Sha256Sum, http::Http};

const ARCHIVES: &str = "https://cdn.kernel.org/pub/linux/kernel";
const SITE: &str = "https://www.kernel.org";
/// Where release candidates are, which have no archives.
pub const CANDIDATES: &str = "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git";
/// A series is no longer brand new when it has had this many stable updates.
const MATURE_PATCH: u16 = 3;
/// The major versions that have sched_ext; a spec without an upper end looks no further.
const MAJORS: [u16; 3] = [6, 7, 8];

/// A release that can be downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its version.
    pub version: KernelVersion,
    /// Of its archive, as the mirror lists it.
    pub sha256: Option<Sha256Sum>,
    /// The archive.
    pub url: String,
}

/// A mirror of kernel.org's archives.
pub struct KernelOrg {
    http: Http,
    archives: String,
    releases: String,
}

impl KernelOrg {
    /// The mirror that `KTSTR_KERNEL_MIRROR` names, else kernel.org.
    pub fn of(env: &Environment) -> Result<Self, Error> {
        let (archives, releases) = match &env.kernel_mirror {
            Some(address) if !address.starts_with("http://") && !address.starts_with("https://") => {
                return Err(Error::KernelMirror { address: address.clone() });
            }
            Some(address) => (address.trim_end_matches('/').to_owned(), address.trim_end_matches('/')),
            None => (ARCHIVES.to_owned(), SITE),
        };
        Ok(Self {
            http: Http::new("KTSTR_KERNEL_MIRROR"),
            archives,
            releases: format!("{releases}/releases.json"),
        })
    }

    /// The newest release that `wanted` means, or the newest of a stable series that is not brand new.
    pub fn find(&self, wanted: Option<&KernelSpec>) -> Result<Release, Error> {
        let Some(wanted) = wanted else {
            let version = self.newest_mature()?;
            return self.find(Some(&KernelSpec::Version(Bound::Exact(version))));
        };
        let mut listed = BTreeMap::new();
        for major in majors(wanted) {
            listed.extend(self.sums(major)?);
        }
        let selected = listed.iter().rev().find(|(version, _)| wanted.accepts(**version));
        if let Some((version, sha256)) = selected {
            return Ok(Release { version: *version, sha256: Some(*sha256), url: self.address(*version) });
        }
        match wanted {
            // A mirror without a list of sums may have the archive all the same.
            KernelSpec::Version(Bound::Exact(version)) if listed.is_empty() => {
                Ok(Release { version: *version, sha256: None, url: self.address(*version) })
            }
            _ => Err(Error::NoRelease {
                wanted: wanted.to_string(),
                near: near(wanted, &listed),
                mirror: self.archives.clone(),
            }),
        }
    }

    /// Downloads the archive of a release, and checks it where its sum is known. Returns the file and its sum.
    pub fn download(
        &self,
        release: &Release,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<(PathBuf, Sha256Sum), Error> {
        let name = file_name(release.version);
        let dir = cache.downloads().join(format!("linux-{}", release.version));
        fs::create_dir_all(&dir).map_err(Error::cache_io("create", &dir))?;
        let file = dir.join(&name);
        progress.step(&format!("Downloading {name}"));
        self.http.download(&release.url, &file, progress)?;
        let found = Sha256Sum::of_file(&file)?;
        match release.sha256 {
            Some(expected) if expected != found => {
                // Else the next attempt would go on behind what is wrong.
                let _ = fs::remove_file(&file);
                let (found, expected) = (found.to_string(), expected.to_string());
                Err(Error::WrongSum { file: name, found, expected, mirror: "KTSTR_KERNEL_MIRROR" })
            }
            None => {
                progress.notice(&format!("{} lists no sum of {name}: it was not checked", self.archives));
                Ok((file, found))
            }
            Some(_) => Ok((file, found)),
        }
    }

    fn newest_mature(&self) -> Result<KernelVersion, Error> {
        let url = &self.releases;
        let refuse = |why: &str| self.http.refuse(url, why.to_owned());
        let text = self
            .http
            .text(url)?
            .ok_or_else(|| refuse("the server does not have it; name a version to do without"))?;
        let known: Known = serde_json::from_str(&text).map_err(|error| refuse(&error.to_string()))?;
        let stable = known
            .releases
            .iter()
            .filter(|release| ["stable", "longterm"].contains(&release.moniker.as_str()));
        let versions = stable.filter_map(|release| release.version.parse::<KernelVersion>().ok());
        let mature = versions.filter(|version| version.patch >= MATURE_PATCH);
        mature.max().ok_or_else(|| refuse("it names no stable release"))
    }

    fn sums(&self, major: u16) -> Result<BTreeMap<KernelVersion, Sha256Sum>, Error> {
        let text = self.http.text(&format!("{}/v{major}.x/sha256sums.asc", self.archives))?;
        Ok(text.as_deref().map(read_sums).unwrap_or_default())
    }

    fn address(&self, version: KernelVersion) -> String {
        format!("{}/v{}.x/{}", self.archives, version.major, file_name(version))
    }
}

#[derive(Deserialize)]
struct Known {
    releases: Vec<KnownRelease>,
}

#[derive(Deserialize)]
struct KnownRelease {
    moniker: String,
    version: String,
}

fn file_name(version: KernelVersion) -> String {
    format!("linux-{version}.tar.xz")
}

/// The kernel archives among the files of a list of sums.
fn read_sums(text: &str) -> BTreeMap<KernelVersion, Sha256Sum> {
    let archive = |line: &str| {
        let (sum, file) = line.split_once(char::is_whitespace)?;
        let version = file.trim_start().strip_prefix("linux-")?.strip_suffix(".tar.xz")?;
        Some((version.parse().ok()?, sum.parse().ok()?))
    };
    text.lines().filter_map(archive).collect()
}

/// The major versions that a spec can mean.
fn majors(wanted: &KernelSpec) -> Vec<u16> {
    let of_bound = |bound: &Bound| match bound {
        Bound::Series { major, .. } => *major,
        Bound::Exact(version) => version.major,
    };
    match wanted {
        KernelSpec::Version(bound) => vec![of_bound(bound)],
        KernelSpec::Range(range) => {
            let accepts =
                |major: &u16| (0..100).any(|minor| range.accepts(KernelVersion::new(*major, minor, 0)));
            MAJORS.into_iter().filter(accepts).collect()
        }
        _ => Vec::new(),
    }
}

/// What a mirror has that is close to a version that it does not have.
fn near(wanted: &KernelSpec, listed: &BTreeMap<KernelVersion, Sha256Sum>) -> String {
    let newest_of_series: BTreeMap<_, _> = listed.keys().map(|v| ((v.major, v.minor), *v)).collect();
    let shown: Vec<_> = match wanted {
        KernelSpec::Version(Bound::Exact(version)) => {
            let below = listed.range(..*version).next_back();
            let above = listed.range(*version..).next();
            below.into_iter().chain(above).map(|(version, _)| version.to_string()).collect()
        }
        _ => newest_of_series.values().rev().take(5).map(KernelVersion::to_string).collect(),
    };
    if shown.is_empty() { "nothing".to_owned() } else { shown.join(", ") }
}

/// Whether the spec can only be had from git: a release candidate.
pub fn candidate(wanted: &KernelSpec) -> Option<KernelVersion> {
    match wanted {
        KernelSpec::Version(Bound::Exact(version)) if version.rc.is_some() => Some(*version),
        _ => None,
    }
}

/// Unpacks an archive into `tree`, which then holds all of it or nothing.
pub fn unpack(archive: &Path, tree: &Path, progress: &dyn Progress) -> Result<(), Error> {
    use std::process::Command;
    progress.step(&format!("Unpacking {}", archive.file_name().unwrap_or_default().to_string_lossy()));
    let partial = tree.with_extension("partial");
    super::workspace::remove_folder(&partial)?;
    super::workspace::remove_folder(tree)?;
    fs::create_dir_all(&partial).map_err(Error::cache_io("create", &partial))?;
    let mut command = Command::new("tar");
    command
        .args(["--extract", "--xz", "--strip-components=1", "--no-same-owner", "--directory"])
        .arg(&partial);
    let output = command.arg("--file").arg(archive).env("LC_ALL", "C").output();
    let output = output.map_err(Error::io("unpack", archive))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().take(3).collect::<Vec<_>>().join("; ");
        return Err(Error::cache_io("unpack into", &partial)(std::io::Error::other(said)));
    }
    fs::rename(&partial, tree).map_err(Error::cache_io("create", tree))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> KernelSpec {
        text.parse().unwrap()
    }

    #[test]
    fn reads_the_archives_in_a_list_of_sums() {
        let sum = "0".repeat(64);
        let text = format!(
            "-----BEGIN PGP SIGNED MESSAGE-----\n\n{sum}  linux-6.18.15.tar.xz\n{sum}  linux-6.18.15.tar.gz\n\
             {sum}  patch-6.18.15.xz\nshort  linux-6.18.1.tar.xz\n{sum}  linux-6.18.tar.xz\n-----BEGIN PGP SIGNATURE-----\n"
        );
        let versions: Vec<_> = read_sums(&text).into_keys().map(|v| v.to_string()).collect();
        assert_eq!(versions, ["6.18", "6.18.15"]);
    }

    #[test]
    fn looks_where_a_spec_can_be() {
        assert_eq!(majors(&spec("6.18")), [6]);
        assert_eq!(majors(&spec("6.18..7.1")), [6, 7]);
        assert_eq!(majors(&spec("7.0..")), [7, 8]);
        assert_eq!(candidate(&spec("7.1-rc3")).map(|v| v.to_string()).as_deref(), Some("7.1-rc3"));
        assert_eq!(candidate(&spec("7.1")), None);
    }
}
