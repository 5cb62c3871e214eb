//! One kernel in the cache.

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{Error, KernelVersion, Recipe, Sha256Sum};

/// The newest schema of [`Metadata`] that this version of ktstr reads. It writes the oldest that can say what it has to.
pub const METADATA_SCHEMA: u32 = 2;

pub(crate) const IMAGE: &str = "image";
pub(crate) const CONFIG: &str = "config";
pub(crate) const VMLINUX: &str = "vmlinux";
pub(crate) const BTF: &str = "btf";
pub(crate) const METADATA: &str = "metadata.json";
pub(crate) const ARCH: &str = "x86_64";

/// Where a cached kernel came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Origin {
    /// Debian's ready-made packages.
    Debian {
        /// The packages it was taken from.
        packages: Vec<PackageRecord>,
    },
    /// Built on this host. Since schema 2.
    Built(Box<Recipe>),
}

impl Origin {
    /// One word for tables.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Debian { .. } => "Debian",
            Self::Built(_) => "built",
        }
    }

    /// The first schema that knows it.
    pub(crate) fn schema(&self) -> u32 {
        match self {
            Self::Debian { .. } => 1,
            Self::Built(_) => 2,
        }
    }
}

/// A package that a kernel was taken from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageRecord {
    /// `linux-binary-7.3.4+deb13-cloud-amd64`.
    pub name: String,
    /// The package's version, such as `7.3.4-1~bpo13+1`.
    pub version: String,
    /// Of the package file.
    pub sha256: Sha256Sum,
}

/// The `metadata.json` of a cache entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The version of this structure.
    pub schema: u32,
    /// The entry's name, which is its folder's.
    pub key: String,
    /// The kernel's version.
    pub version: KernelVersion,
    /// What `uname -r` prints in it.
    pub release: String,
    /// `x86_64`.
    pub arch: String,
    /// Where it came from.
    pub origin: Origin,
    /// Of the image.
    pub image_sha256: Sha256Sum,
    /// Length of the image.
    pub image_bytes: u64,
    /// Of the configuration.
    pub config_sha256: Sha256Sum,
    /// Whether BPF schedulers can be loaded.
    pub sched_ext: bool,
    /// When it was put into the cache, in seconds since 1970.
    pub added_at: u64,
}

/// A whole kernel in the cache: image, configuration and metadata.
#[derive(Clone, Debug)]
pub struct Entry {
    dir: PathBuf,
    metadata: Metadata,
}

impl Entry {
    /// Reads the entry in `dir`; on failure, the reason why it is corrupt.
    pub(crate) fn read(dir: &Path) -> Result<Self, String> {
        let metadata = read_metadata(&dir.join(METADATA))?;
        let key = dir.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if metadata.key != key {
            return Err(format!("{METADATA} is that of `{}`", metadata.key));
        }
        if metadata.arch != ARCH {
            return Err(format!("it is for {}, not {ARCH}", metadata.arch));
        }
        let length = |name: &str| match fs::metadata(dir.join(name)) {
            Ok(file) => Ok(file.len()),
            Err(error) => Err(format!("{name}: {error}")),
        };
        let bytes = length(IMAGE)?;
        if bytes != metadata.image_bytes {
            return Err(format!("{IMAGE} has {bytes} bytes instead of {}", metadata.image_bytes));
        }
        length(CONFIG)?;
        Ok(Self { dir: dir.to_owned(), metadata })
    }

    /// The entry's name.
    pub fn key(&self) -> &str {
        &self.metadata.key
    }

    /// What the cache knows of it.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The entry's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The kernel image.
    pub fn image(&self) -> PathBuf {
        self.dir.join(IMAGE)
    }

    /// The kernel's configuration.
    pub fn config(&self) -> PathBuf {
        self.dir.join(CONFIG)
    }

    /// Its `vmlinux` without debug information, when it was built here.
    pub fn vmlinux(&self) -> Option<PathBuf> {
        Some(self.dir.join(VMLINUX)).filter(|path| path.is_file())
    }

    /// Its type information, when it was built here.
    pub fn btf(&self) -> Option<PathBuf> {
        Some(self.dir.join(BTF)).filter(|path| path.is_file())
    }

    /// Whether it was built here, and this version of ktstr would configure it otherwise.
    pub fn is_stale(&self) -> bool {
        matches!(&self.metadata.origin, Origin::Built(recipe) if recipe.is_stale(self.metadata.version))
    }

    /// Keeps the entry from being cleaned away until the hold is dropped or the process ends.
    ///
    /// # Errors
    /// When the entry has been removed since it was read.
    pub fn hold(&self) -> Result<EntryHold, Error> {
        let dir = File::open(&self.dir).map_err(Error::cache_io("open", &self.dir))?;
        dir.lock_shared().map_err(Error::cache_io("lock", &self.dir))?;
        // Between opening and locking, a cleaner may have moved the folder away.
        let inode = |file: std::io::Result<fs::Metadata>| file.map(|file| (file.dev(), file.ino())).ok();
        if inode(dir.metadata()) != inode(fs::metadata(&self.dir)) {
            return Err(Error::NotCached {
                wanted: self.key().to_owned(),
                cached: "it was removed just now".into(),
                remedy: format!("`cargo ktstr kernel fetch {}` gets it again", self.metadata.version),
            });
        }
        Ok(EntryHold { _dir: dir })
    }
}

/// As long as this exists, no process removes the entry.
#[derive(Debug)]
pub struct EntryHold {
    _dir: File,
}

fn read_metadata(path: &Path) -> Result<Metadata, String> {
    #[derive(Deserialize)]
    struct Schema {
        schema: u32,
    }
    let bytes = fs::read(path).map_err(|error| format!("{METADATA}: {error}"))?;
    // The schema alone first: the rest of a newer one need not be readable.
    let Schema { schema } =
        serde_json::from_slice(&bytes).map_err(|error| format!("{METADATA} cannot be read: {error}"))?;
    if schema > METADATA_SCHEMA {
        return Err(format!(
            "{METADATA} has schema {schema}, and this ktstr reads up to {METADATA_SCHEMA}; a newer ktstr wrote it"
        ));
    }
    serde_json::from_slice(&bytes).map_err(|error| format!("{METADATA} cannot be read: {error}"))
}
