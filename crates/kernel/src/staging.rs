//! Writing a cache entry so that nobody sees half of it.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    Cache, Entry, Error, ImageInfo, KernelConfig, KeyLock, Metadata, Origin, Sha256Sum,
    entry::{ARCH, BTF, CONFIG, IMAGE, METADATA, VMLINUX},
};

/// An entry being written: fill [`image`](Self::image) and [`config`](Self::config), then [`commit`](Self::commit).
/// Dropped before that, it leaves nothing.
#[derive(Debug)]
pub struct StagedEntry<'a> {
    pub(crate) cache: Cache,
    pub(crate) lock: &'a KeyLock,
    pub(crate) dir: PathBuf,
}

impl StagedEntry<'_> {
    /// Where the image goes.
    pub fn image(&self) -> PathBuf {
        self.dir.join(IMAGE)
    }

    /// Where the configuration goes.
    pub fn config(&self) -> PathBuf {
        self.dir.join(CONFIG)
    }

    /// Where the symbols of a kernel that was built go: its `vmlinux` without debug information.
    pub fn vmlinux(&self) -> PathBuf {
        self.dir.join(VMLINUX)
    }

    /// Where its type information goes.
    pub fn btf(&self) -> PathBuf {
        self.dir.join(BTF)
    }

    /// Reads what was staged, describes it in `metadata.json` and moves it to its place, over an entry that was there.
    ///
    /// # Errors
    /// When the image is no kernel, the configuration is none, or the cache cannot be written.
    pub fn commit(self, origin: Origin) -> Result<Entry, Error> {
        let image = self.image();
        let info = ImageInfo::read(&image)?;
        let metadata = Metadata {
            schema: origin.schema(),
            key: self.lock.key().to_owned(),
            version: info.version,
            release: info.release,
            arch: ARCH.to_owned(),
            origin,
            image_sha256: self.cache.sha256_of(&image)?,
            image_bytes: fs::metadata(&image).map_err(Error::cache_io("read", &image))?.len(),
            config_sha256: Sha256Sum::of_file(&self.config())?,
            sched_ext: KernelConfig::read(&self.config())?.has_sched_ext(),
            added_at: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs()),
        };
        let path = self.dir.join(METADATA);
        let text =
            serde_json::to_vec_pretty(&metadata).map_err(|e| Error::cache_io("write", &path)(e.into()))?;
        File::create(&path)
            .and_then(|mut file| file.write_all(&text))
            .map_err(Error::cache_io("write", &path))?;
        let written = [image, self.config(), self.vmlinux(), self.btf(), path];
        for file in written.iter().filter(|file| file.exists()) {
            sync(file)?;
        }
        self.cache.publish(&self.dir, self.lock.key())
    }
}

/// Writes a file's content to disk, so that a rename after it never shows an empty file after a power cut.
fn sync(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|file| file.sync_all()).map_err(Error::cache_io("write", path))
}

impl Drop for StagedEntry<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}
