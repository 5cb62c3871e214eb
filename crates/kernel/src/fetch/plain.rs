//! A Debian mirror read without apt: the signed `InRelease` names the sum of the index, which names those of packages.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::Command,
};

use super::{apt::KEYRINGS, package::Package};
use crate::{Cache, Environment, Error, Progress, Sha256Sum, http::Http, program::find_program};

const INDEXES: [&str; 2] = ["main/binary-amd64/Packages.xz", "main/binary-amd64/Packages.gz"];

/// A mirror at an address.
pub struct PlainMirror {
    http: Http,
    address: String,
    /// Where `InRelease` lies while it is verified.
    dir: PathBuf,
    /// With which its signature is verified; without one it is not.
    keyring: Option<PathBuf>,
}

impl PlainMirror {
    /// The mirror at `address`.
    ///
    /// # Errors
    /// When nothing here can verify its signature, unless `insecure` says that it need not be.
    pub fn prepare(address: &str, cache: &Cache, env: &Environment, insecure: bool) -> Result<Self, Error> {
        let mut keyrings = KEYRINGS.iter().map(|keyring| env.host_root.join(keyring));
        let keyring = keyrings.find(|path| path.is_file()).filter(|_| find_program("gpgv").is_some());
        if keyring.is_none() && !insecure {
            return Err(Error::Unverifiable { address: address.to_owned() });
        }
        let dir = cache.root().join("debian");
        Ok(Self { http: Http::new("KTSTR_DEBIAN_MIRROR"), address: address.to_owned(), dir, keyring })
    }

    /// The index of a suite.
    pub fn index(&self, suite: &str) -> Result<String, Error> {
        let release = self.release(suite)?;
        for index in INDEXES {
            let Some(expected) = listed_sum(&release, index) else { continue };
            let url = format!("{}/dists/{suite}/{index}", self.address);
            let packed =
                self.http.bytes(&url)?.ok_or_else(|| self.refuse(&url, "the mirror does not have it"))?;
            let found = Sha256Sum::of(&packed);
            if found != expected {
                let why = format!("its SHA-256 is {found} instead of {expected}");
                return Err(self.refuse(&url, &why));
            }
            return unpack(&packed).map_err(|error| self.refuse(&url, &error.to_string()));
        }
        let url = format!("{}/dists/{suite}/InRelease", self.address);
        Err(self.refuse(&url, "it lists no index of main for amd64"))
    }

    /// Downloads packages into their files, going on with what is there.
    pub fn download(&self, wanted: &[(&Package, &Path)], progress: &dyn Progress) -> Result<(), Error> {
        for (package, file) in wanted {
            self.http.download(&format!("{}/{}", self.address, package.path), file, progress)?;
        }
        Ok(())
    }

    /// What the signature covers.
    fn release(&self, suite: &str) -> Result<String, Error> {
        let url = format!("{}/dists/{suite}/InRelease", self.address);
        let text = self.http.text(&url)?.ok_or_else(|| self.refuse(&url, "the mirror does not have it"))?;
        let Some(keyring) = &self.keyring else { return Ok(text) };
        fs::create_dir_all(&self.dir).map_err(Error::cache_io("create", &self.dir))?;
        let signed =
            tempfile::NamedTempFile::new_in(&self.dir).map_err(Error::cache_io("create", &self.dir))?;
        fs::write(signed.path(), &text).map_err(Error::cache_io("write", signed.path()))?;
        // What gpgv writes is what was signed, and not what somebody put around it.
        let mut gpgv = Command::new("gpgv");
        gpgv.env("LC_ALL", "C")
            .arg("--quiet")
            .arg("--keyring")
            .arg(keyring)
            .args(["--output", "-"])
            .arg(signed.path());
        let output = gpgv.output().map_err(Error::io("verify with gpgv", signed.path()))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().last().unwrap_or_default();
        Err(self.refuse(&url, &format!("its signature is not Debian's ({said})")))
    }

    fn refuse(&self, url: &str, why: &str) -> Error {
        self.http.refuse(url, why.to_owned())
    }
}

/// The SHA-256 sum of a file in a `Release` file.
fn listed_sum(release: &str, file: &str) -> Option<Sha256Sum> {
    let sums = release.lines().skip_while(|line| *line != "SHA256:").skip(1);
    sums.take_while(|line| line.starts_with(' ')).find_map(|line| {
        let mut fields = line.split_whitespace();
        let sum = fields.next()?;
        (fields.nth(1) == Some(file)).then(|| sum.parse().ok())?
    })
}

fn unpack(packed: &[u8]) -> std::io::Result<String> {
    let mut text = String::new();
    if packed.starts_with(&[0x1f, 0x8b]) {
        flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut text)?;
    } else {
        lzma_rust2::XzReader::new(packed, true).read_to_string(&mut text)?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_sum_in_its_own_section() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let release = format!(
            "Suite: x\nMD5Sum:\n {a} 1 main/P\nSHA256:\n {a} 1 main/Q\n {b} 2 main/P\nSHA512:\n {a} 1 main/R\n"
        );
        assert_eq!(listed_sum(&release, "main/P").map(|sum| sum.to_string()), Some(b));
        assert_eq!(listed_sum(&release, "main/R"), None);
        assert_eq!(listed_sum("", "main/P"), None);
    }
}
