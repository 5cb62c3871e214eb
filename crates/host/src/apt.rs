//! What to install on a Debian-like system, and from where.

use crate::{HostError, Invocation, Packages};

/// Where Debian keeps the keys that sign its archive.
const DEBIAN_KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// The source that we add when no configured one has a QEMU that is new enough.
const BACKPORTS_LIST: &str = "/etc/apt/sources.list.d/ktstr-backports.list";
const OS_RELEASE: &str = "/etc/os-release";

/// What apt knows: what it could install, and where it gets it.
#[derive(Debug)]
pub struct Archive {
    offers: Vec<Offer>,
    targets: Vec<Target>,
    /// `VERSION_CODENAME` of os-release.
    codename: String,
}

/// A version of a package that apt could install.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Offer {
    package: String,
    version: (u32, u32),
    suite: String,
}

/// One of apt's sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Target {
    /// Where the archive is.
    repository: String,
    /// What the source asks for: a codename or an alias like `stable`.
    release: String,
    /// What the archive says it is; not known before its lists are fetched.
    codename: Option<String>,
    origin: Option<String>,
    component: String,
}

impl Archive {
    /// Asks apt about these packages. Works without root and without a network.
    ///
    /// # Errors
    /// When apt's tools cannot be run.
    pub fn ask(wanted: &[Packages]) -> Result<Self, HostError> {
        let names = wanted.iter().flat_map(|packages| names(packages)).copied();
        // A package that apt does not know is no error here; it is just not among what is printed.
        let offers = Invocation::new("apt-cache madison").args(names).output()?;
        let targets = Invocation::new("apt-get indextargets").arg("Created-By: Packages").stdout()?;
        let release =
            std::fs::read_to_string(OS_RELEASE).map_err(|why| HostError::File { path: OS_RELEASE, why })?;
        Ok(Self {
            offers: read_offers(&String::from_utf8_lossy(&offers.stdout)),
            targets: read_targets(&targets),
            codename: codename(&release).unwrap_or_default(),
        })
    }

    /// Whether it knows none of the packages.
    pub fn is_empty(&self) -> bool {
        self.offers.is_empty()
    }

    fn has(&self, package: &str) -> bool {
        self.offers.iter().any(|offer| offer.package == package)
    }
}

fn names(packages: &Packages) -> &[&'static str] {
    match packages {
        Packages::All(names) | Packages::AnyOf(names) => names,
        Packages::AtLeast(name, ..) => std::slice::from_ref(name),
    }
}

/// Fetches the package lists.
pub fn update() -> Invocation {
    Invocation::new("apt-get update")
}

fn install() -> Invocation {
    // The person has been asked already; debconf would ask again.
    Invocation::new("env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends")
}

/// The commands that install what is wanted.
///
/// # Errors
/// When the archive lacks something and no other source of it is known.
pub fn plan(wanted: &[Packages], archive: &Archive) -> Result<Vec<Invocation>, HostError> {
    let mut plain: Vec<&str> = Vec::new();
    let mut commands = Vec::new();
    let mut from_backports = Vec::new();
    for packages in wanted {
        match *packages {
            Packages::All(names) => {
                if let Some(absent) = names.iter().find(|name| !archive.has(name)) {
                    return Err(not_offered(format!(
                        "no package {absent}: install what it brings by other means"
                    )));
                }
                plain.extend(names);
            }
            Packages::AnyOf(names) => {
                let offered = names.iter().find(|name| archive.has(name));
                plain.push(offered.ok_or_else(|| not_offered(format!("none of {}", names.join(", "))))?);
            }
            Packages::AtLeast(name, major, minor) => match new_enough(archive, name, (major, minor)) {
                Some(offer) if offer.suite.ends_with("-backports") => {
                    from_backports.push((name, offer.suite.clone()));
                }
                Some(_) => plain.push(name),
                None => {
                    let (source, suite) = backports_source(archive).ok_or_else(|| {
                        not_offered(format!(
                            "no {name} of version {major}.{minor} or newer: install one yourself: \
                                 no source in apt's configuration is Debian's own"
                        ))
                    })?;
                    commands.push(source);
                    from_backports.push((name, suite));
                }
            },
        }
    }
    // Lists that are some weeks old name files that the archive no longer has.
    commands.push(update());
    if !plain.is_empty() {
        commands.push(install().args(plain));
    }
    // A command of its own: `-t` would draw everything else from backports as well.
    commands.extend(from_backports.into_iter().map(|(name, suite)| install().arg("-t").arg(suite).arg(name)));
    Ok(commands)
}

fn not_offered(what: String) -> HostError {
    HostError::NotOffered { what }
}

fn new_enough<'a>(archive: &'a Archive, package: &str, oldest: (u32, u32)) -> Option<&'a Offer> {
    let good = |offer: &&Offer| offer.package == package && offer.version >= oldest;
    // What needs no `-t` comes first.
    archive.offers.iter().filter(good).min_by_key(|offer| offer.suite.ends_with("-backports"))
}

/// The command that adds this Debian's backports, and their suite.
fn backports_source(archive: &Archive) -> Option<(Invocation, String)> {
    let codename = &archive.codename;
    let main = archive.targets.iter().find(|target| target.is_main_debian(codename));
    let mirror = main?.repository.trim_end_matches('/');
    let suite = format!("{codename}-backports");
    let line = format!("deb [signed-by={DEBIAN_KEYS}] {mirror} {suite} main");
    Some((Invocation::new("tee").arg(BACKPORTS_LIST).fed(line), suite))
}

impl Target {
    /// Whether this is the main part of the Debian release `codename`, not of somebody else's archive for it.
    fn is_main_debian(&self, codename: &str) -> bool {
        let release_fits = self.release == codename || self.codename.as_deref() == Some(codename);
        let is_debian = match &self.origin {
            Some(origin) => origin == "Debian",
            None => self.repository.trim_end_matches('/').ends_with("/debian"),
        };
        release_fits && is_debian && self.component == "main"
    }
}

/// Reads `apt-cache madison`: `package | version | address suite/component architecture Packages`.
fn read_offers(printed: &str) -> Vec<Offer> {
    let offer = |line: &str| {
        let mut columns = line.split('|').map(str::trim);
        let (package, version, source) = (columns.next()?, columns.next()?, columns.next()?);
        let suite = source.split_whitespace().nth(1)?.split('/').next()?;
        Some(Offer {
            package: package.to_owned(),
            version: upstream_version(version)?,
            suite: suite.to_owned(),
        })
    };
    printed.lines().filter_map(offer).collect()
}

/// The first two numbers of a package's version, without its epoch: `1:10.0.2+ds-2` is 10.0.
fn upstream_version(version: &str) -> Option<(u32, u32)> {
    let upstream = version.split_once(':').map_or(version, |(_, rest)| rest);
    let mut numbers = upstream.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next().and_then(|minor| minor.parse().ok()).unwrap_or(0)))
}

/// Reads `apt-get indextargets`: stanzas of `Field: value` with an empty line between.
fn read_targets(printed: &str) -> Vec<Target> {
    let target = |stanza: &str| {
        let field = |name: &str| {
            stanza.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
        };
        Some(Target {
            repository: field("Repo-URI")?,
            release: field("Release")?,
            codename: field("Codename"),
            origin: field("Origin"),
            component: field("Component")?,
        })
    };
    printed.split("\n\n").filter_map(target).collect()
}

fn codename(os_release: &str) -> Option<String> {
    let value = os_release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="))?;
    Some(value.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests;
