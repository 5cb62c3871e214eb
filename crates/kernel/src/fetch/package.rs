//! Debian's kernel packages, as its index or our list of pinned files describes them.

use std::collections::BTreeMap;

use crate::{PackageRecord, Sha256Sum};

const FLAVOUR: &str = "-cloud-amd64";
const PINNED: &str = include_str!("pinned.txt");

/// A package file on a mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// What it is and its version and sum.
    pub record: PackageRecord,
    /// The path below the mirror.
    pub path: String,
    /// Its length.
    pub bytes: u64,
}

impl Package {
    /// The last part of its path.
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The kernel release it belongs to, when its name is `linux-{kind}-RELEASE`.
    pub fn release(&self, kind: &str) -> Option<&str> {
        let release = self.record.name.strip_prefix("linux-")?.strip_prefix(kind)?.strip_prefix('-')?;
        // Other names (`linux-image-cloud-amd64`, `linux-binary-unsigned-..`) go on with a word.
        release.starts_with(|c: char| c.is_ascii_digit()).then_some(release)
    }
}

/// The kernel packages of our flavour in a `Packages` file.
pub fn read_index(text: &str) -> Vec<Package> {
    text.split("\n\n").filter_map(read_stanza).collect()
}

fn read_stanza(stanza: &str) -> Option<Package> {
    let name = stanza.trim_start().strip_prefix("Package: linux-")?.lines().next()?;
    if !name.ends_with(FLAVOUR) {
        return None;
    }
    let fields: BTreeMap<&str, &str> = stanza.lines().filter_map(|line| line.split_once(": ")).collect();
    let record = PackageRecord {
        name: format!("linux-{name}"),
        version: (*fields.get("Version")?).to_owned(),
        sha256: fields.get("SHA256")?.parse().ok()?,
    };
    Some(Package {
        record,
        path: (*fields.get("Filename")?).to_owned(),
        bytes: fields.get("Size")?.parse().ok()?,
    })
}

/// The packages that this crate knows by their sums, whether or not an index still lists them.
pub fn pinned() -> Vec<Package> {
    PINNED.lines().filter(|line| !line.starts_with('#')).filter_map(read_pin).collect()
}

fn read_pin(line: &str) -> Option<Package> {
    let mut fields = line.split(' ');
    let sha256: Sha256Sum = fields.next()?.parse().ok()?;
    let bytes = fields.next()?.parse().ok()?;
    let path = fields.next()?;
    let mut name = path.rsplit('/').next()?.split('_');
    let record = PackageRecord { name: name.next()?.to_owned(), version: name.next()?.to_owned(), sha256 };
    Some(Package { record, path: path.to_owned(), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_can_be_read() {
        let lines = PINNED.lines().filter(|line| !line.starts_with('#')).count();
        let pins = pinned();
        assert_eq!(pins.len(), lines);
        let base = pins.iter().find(|p| p.release("base") == Some("7.0.13+deb13-cloud-amd64")).unwrap();
        assert_eq!((base.record.version.as_str(), base.bytes), ("7.0.13-1~bpo13+1", 1_045_100));
        assert_eq!(base.file_name(), "linux-base-7.0.13+deb13-cloud-amd64_7.0.13-1~bpo13+1_amd64.deb");
    }

    #[test]
    fn reads_the_kernel_packages_of_an_index() {
        let stanza = |name: &str, rest: &str| {
            format!("Package: {name}\nVersion: 7.3.4-1\nSize: 12\nFilename: pool/{name}.deb\n{rest}")
        };
        let sum = format!("SHA256: {}\nDescription: x\n more: y\n", "0".repeat(64));
        let index = [
            stanza("7zip", &sum),
            stanza("linux-binary-7.3.4+deb13-cloud-amd64", &sum),
            stanza("linux-binary-7.3.4+deb13-rt-amd64", &sum),
            stanza("linux-base-7.3.4+deb13-cloud-amd64", "SHA256: short\n"),
            stanza("linux-binary-unsigned-7.3.4+deb13-cloud-amd64", &sum),
        ];
        let packages = read_index(&index.join("\n"));
        let names: Vec<_> = packages.iter().map(|p| p.record.name.as_str()).collect();
        assert_eq!(
            names,
            ["linux-binary-7.3.4+deb13-cloud-amd64", "linux-binary-unsigned-7.3.4+deb13-cloud-amd64"]
        );
        assert_eq!(packages[0].release("binary"), Some("7.3.4+deb13-cloud-amd64"));
        assert_eq!(packages[1].release("binary"), None);
    }
}
