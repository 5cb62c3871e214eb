//! A kernel that was found and can be booted.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{
    Btf, Cache, Entry, EntryHold, Environment, Error, ImageInfo, KernelConfig, KernelVersion, Sha256Sum,
    age::ago, config::find_config, ikconfig::embedded_config, payload::read_vmlinux,
};

/// Where a [`Kernel`] was found.
#[derive(Clone, Debug)]
pub enum KernelSource {
    /// In the cache.
    Cache(Entry),
    /// In a source or build tree, which may have changed since it was built.
    Tree {
        /// The top of the tree.
        dir: PathBuf,
        /// When its image was written.
        built_at: SystemTime,
    },
    /// An image that was named, or one of the host's own.
    Image,
}

/// A kernel image with its identity.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The image, a bzImage.
    pub image: PathBuf,
    /// What `uname -r` prints in it.
    pub release: String,
    /// The version that the release begins with.
    pub version: KernelVersion,
    /// Its configuration, if it was found.
    pub config: Option<PathBuf>,
    /// Whether BPF schedulers can be loaded; unknown without the configuration.
    pub sched_ext: Option<bool>,
    /// Of the image: the identity that counts.
    pub image_sha256: Sha256Sum,
    /// Where it was found.
    pub source: KernelSource,
}

impl Kernel {
    pub(crate) fn of_entry(entry: Entry, cache: &Cache) -> Result<Self, Error> {
        let metadata = entry.metadata();
        let image_sha256 = cache.sha256_of(&entry.image())?;
        if image_sha256 != metadata.image_sha256 {
            let reason = format!("its image has SHA-256 {image_sha256} instead of {}", metadata.image_sha256);
            return Err(Error::Corrupt { key: entry.key().to_owned(), reason });
        }
        Ok(Self {
            image: entry.image(),
            release: metadata.release.clone(),
            version: metadata.version,
            config: Some(entry.config()),
            sched_ext: Some(metadata.sched_ext),
            image_sha256,
            source: KernelSource::Cache(entry),
        })
    }

    pub(crate) fn of_image(image: &Path, cache: &Cache, env: &Environment) -> Result<Self, Error> {
        let ImageInfo { release, version } = ImageInfo::read(image)?;
        let config = find_config(image, &release, version, &env.host_root);
        let sched_ext = config.as_deref().map(KernelConfig::read).transpose()?.map(|c| c.has_sched_ext());
        Ok(Self {
            image: image.to_owned(),
            release,
            version,
            config,
            sched_ext,
            image_sha256: cache.sha256_of(image)?,
            source: KernelSource::Image,
        })
    }

    pub(crate) fn of_tree(dir: &Path, image: &Path, cache: &Cache, env: &Environment) -> Result<Self, Error> {
        let kernel = Self::of_image(image, cache, env)?;
        let built_at =
            fs::metadata(image).and_then(|file| file.modified()).map_err(Error::io("read", image))?;
        Ok(Self { source: KernelSource::Tree { dir: dir.to_owned(), built_at }, ..kernel })
    }

    /// A short name for test names and records: the cache key, else the release.
    pub fn label(&self) -> &str {
        match &self.source {
            KernelSource::Cache(entry) => entry.key(),
            KernelSource::Tree { .. } | KernelSource::Image => &self.release,
        }
    }

    /// The text of its configuration: of the file that was found, else what the image carries in itself, if that can be
    /// unpacked.
    ///
    /// # Errors
    /// When the file or the image cannot be read.
    pub fn config_text(&self) -> Result<Option<String>, Error> {
        match &self.config {
            Some(path) => fs::read_to_string(path).map(Some).map_err(Error::io("read", path)),
            None => match embedded_config(&self.image) {
                // Packed in a way of its own, it boots all the same.
                Err(Error::Payload { .. }) => Ok(None),
                other => other,
            },
        }
    }

    /// Its type information. Taken from an image, which has to be unpacked, it takes a second.
    ///
    /// # Errors
    /// When the kernel was built without it, or cannot be read.
    pub fn btf(&self) -> Result<Btf, Error> {
        let kept = match &self.source {
            KernelSource::Cache(entry) => entry.btf(),
            KernelSource::Tree { .. } | KernelSource::Image => None,
        };
        match kept {
            Some(path) => Btf::parse(fs::read(&path).map_err(Error::io("read", &path))?),
            None => Btf::of_elf_bytes(&read_vmlinux(&self.image)?),
        }
    }

    /// Keeps a cached kernel from being cleaned away while it is used. Other kernels need no hold.
    ///
    /// # Errors
    /// When it has been removed already.
    pub fn hold(&self) -> Result<Option<EntryHold>, Error> {
        match &self.source {
            KernelSource::Cache(entry) => entry.hold().map(Some),
            KernelSource::Tree { .. } | KernelSource::Image => Ok(None),
        }
    }
}

impl fmt::Display for Kernel {
    /// The kernel and where it is from, for one announcing line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.release)?;
        match &self.source {
            KernelSource::Cache(entry) => write!(f, " ({}, cached)", entry.metadata().origin.name()),
            KernelSource::Tree { dir, built_at } => {
                write!(f, " (built {} in {})", ago(*built_at), dir.display())
            }
            KernelSource::Image => write!(f, " ({})", self.image.display()),
        }
    }
}
