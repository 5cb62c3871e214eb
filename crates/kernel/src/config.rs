//! A kernel's configuration, and where it lies.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use crate::{Error, KernelVersion, tree::tree_of};

/// A kernel's `.config`. A symbol that is absent or `is not set` counts as `n`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelConfig {
    symbols: BTreeMap<String, String>,
    version: Option<KernelVersion>,
}

impl KernelConfig {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read, or as [`from_str`](Self::from_str).
    pub fn read(path: &Path) -> Result<Self, Error> {
        fs::read_to_string(path).map_err(Error::io("read", path))?.parse().map_err(|error| match error {
            Error::Config { why, .. } => Error::Config { path: Some(path.to_owned()), why },
            other => other,
        })
    }

    /// The value of a symbol, given without `CONFIG_`: `y`, `m`, a number, or a text without its quotes.
    pub fn get(&self, symbol: &str) -> Option<&str> {
        self.symbols.get(symbol).map(String::as_str)
    }

    /// Whether a symbol is built in (`y`); modules do not reach a guest.
    pub fn is_builtin(&self, symbol: &str) -> bool {
        self.get(symbol) == Some("y")
    }

    /// Whether BPF schedulers can be loaded.
    pub fn has_sched_ext(&self) -> bool {
        self.is_builtin("SCHED_CLASS_EXT")
    }

    /// The version in the header that kbuild writes.
    pub fn version(&self) -> Option<KernelVersion> {
        self.version
    }
}

impl FromStr for KernelConfig {
    type Err = Error;

    /// Reads the text of a configuration; comments are passed over.
    ///
    /// # Errors
    /// On a line that is neither a comment nor `CONFIG_NAME=VALUE`, and when there is no symbol at all.
    fn from_str(text: &str) -> Result<Self, Error> {
        let error = |why: String| Error::Config { path: None, why };
        let mut config = Self::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if let Some(comment) = line.strip_prefix('#') {
                let header = comment.trim().strip_suffix(" Kernel Configuration");
                if let Some(version) = header.and_then(|h| h.strip_prefix("Linux/")?.split_once(' ')) {
                    config.version = KernelVersion::from_release(version.1).ok();
                }
            } else if !line.is_empty() {
                let (symbol, value) =
                    line.strip_prefix("CONFIG_").and_then(|line| line.split_once('=')).ok_or_else(|| {
                        error(format!("line {} is `{line}`, not CONFIG_NAME=VALUE", number + 1))
                    })?;
                let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
                config.symbols.insert(symbol.to_owned(), value.to_owned());
            }
        }
        if config.symbols.is_empty() {
            return Err(error("it sets no symbol".into()));
        }
        Ok(config)
    }
}

/// The configuration of the image at `image`, from where distributions and kbuild leave it: `config-RELEASE` beside the
/// image or in the host's `/boot`; `config` or `.config` beside it or at the top of its build tree.
///
/// A file without the release in its name is believed only when its header has the image's version.
pub(crate) fn find_config(
    image: &Path,
    release: &str,
    version: KernelVersion,
    host_root: &Path,
) -> Option<PathBuf> {
    let dir = image.parent()?;
    let name = format!("config-{release}");
    let named = [dir.join(&name), host_root.join("boot").join(&name)].into_iter().find(|path| path.is_file());
    named.or_else(|| {
        let in_tree = tree_of(image).map(|tree| tree.join(".config"));
        let mut unnamed = [dir.join("config"), dir.join(".config")].into_iter().chain(in_tree);
        unnamed.find(|path| KernelConfig::read(path).is_ok_and(|config| config.version() == Some(version)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::config_text;

    const VERSION: KernelVersion = KernelVersion::new(7, 3, 4);

    #[test]
    fn reads_symbols() {
        let text = "# Linux/x86 7.3.4 Kernel Configuration\nCONFIG_SMP=y\nCONFIG_NET=m\n\n# CONFIG_KVM is not set\n\
                    CONFIG_NR_CPUS=512\nCONFIG_LOCALVERSION=\"-a=b\"\n";
        let config: KernelConfig = text.parse().unwrap();
        assert_eq!(config.get("NR_CPUS"), Some("512"));
        assert_eq!(config.get("LOCALVERSION"), Some("-a=b"));
        assert_eq!(config.get("KVM"), None);
        assert!(config.is_builtin("SMP") && !config.is_builtin("NET") && !config.has_sched_ext());
        assert_eq!(config.version(), Some(VERSION));
    }

    #[test]
    fn refuses_other_files() {
        for (text, why) in [
            ("", "sets no symbol"),
            ("# only this\n", "sets no symbol"),
            ("CONFIG_SMP=y\nhello\n", "line 2 is `hello`"),
            ("{\"a\": 1}", "line 1"),
        ] {
            let error = text.parse::<KernelConfig>().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn an_unnamed_config_is_believed_only_with_the_right_version() {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("vmlinuz");
        let find = || find_config(&image, "7.3.4", VERSION, &dir.path().join("host"));
        assert_eq!(find(), None);
        fs::write(dir.path().join("config"), config_text(KernelVersion::new(7, 3, 3), true)).unwrap();
        assert_eq!(find(), None);
        fs::write(dir.path().join(".config"), config_text(VERSION, true)).unwrap();
        assert_eq!(find(), Some(dir.path().join(".config")));
        fs::write(dir.path().join("config-7.3.4"), "CONFIG_SMP=y\n").unwrap();
        assert_eq!(find(), Some(dir.path().join("config-7.3.4")));
    }
}
